"""Jobs that are cancelled, requeued, preempted, timed out, lost or doubled: same bytes, and nothing made twice."""

import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable

import pytest
from cluster import Cluster, wait_until
from cluster_studies import ClusterWorkspace

BATCH = "models/sparse/sampled/0000"
TARGET = f"results/tiny/{BATCH}/manifest.json"
JOB = "rule_train_models_wildcards_sparse_sampled_0000"


def finished(workspace: ClusterWorkspace) -> int:
    return len(list((workspace.results / BATCH).glob("*/manifest.json")))


def in_the_middle(workspace: ClusterWorkspace, snakemake: subprocess.Popen[str]) -> str:
    """The Slurm id of the batch's job, once two of its eight subsets are finished and the third has begun."""
    assert workspace.cluster

    def ready() -> bool:
        assert snakemake.poll() is None, workspace.output()
        return finished(workspace) >= 2

    wait_until(ready, 90, "two finished subsets")
    time.sleep(0.7)
    assert finished(workspace) < 7, "the batch ended before it could be disturbed"
    (job,) = [job for job, comment in workspace.cluster.jobs("running").items() if comment == JOB]
    return job


def end(workspace: ClusterWorkspace, snakemake: subprocess.Popen[str], seconds: float = 240) -> int:
    try:
        return snakemake.wait(seconds)
    except subprocess.TimeoutExpired:
        snakemake.kill()
        pytest.fail(f"Snakemake did not end in {seconds:.0f} s:\n{workspace.output()[-3000:]}")


def credited(workspace: ClusterWorkspace) -> dict[str, bytes]:
    return {name: text for name, text in workspace.csvs().items() if name.startswith(("attribution", "utilities"))}


def check(workspace: ClusterWorkspace, local: ClusterWorkspace, twice: int = 0) -> str:
    """Each subset made once, but for `twice` that two jobs had in hand; finished here, same bytes as undisturbed."""
    log = (workspace.results / f"logs/{BATCH}.log").read_text()
    made = Counter(re.findall(r"DEBUG made (\S+)", log))
    assert len(made) == 8
    assert sum(made.values()) <= 8 + twice, log
    left = [path.name for path in (workspace.results / BATCH).iterdir() if path.name.startswith(".")]
    assert not left, left
    workspace.cluster, workspace.step_seconds = None, 0.0
    last = workspace.run(*(f"results/tiny/attribution/inception_score/{name}.csv" for name in ("ridge", "paper")))
    assert last.returncode == 0, last.stdout
    assert "train_models" not in last.stdout
    assert credited(workspace) == credited(local)
    return log


def scancel(cluster: Cluster, job: str) -> None:
    cluster.command("scancel", job)


def warn(cluster: Cluster, job: str) -> None:
    """As `--signal=USR1@60` does before a time limit."""
    cluster.command("scancel", "--signal=USR1", job)


def back_at_once(cluster: Cluster, job: str) -> None:
    """Slurm lets a requeued job wait for two minutes."""
    wait_until(lambda: job in cluster.jobs("pending"), 60, "the job back in the queue")
    cluster.command("scontrol", "update", f"jobid={job}", "starttime=now")


def requeue(cluster: Cluster, job: str) -> None:
    cluster.command("scontrol", "requeue", job)
    back_at_once(cluster, job)


def preempt(cluster: Cluster, job: str) -> None:
    for _ in range(2):
        cluster.command("sbatch", "-purgent", "-c1", "--mem=1000", "-o/dev/null", "--wrap", "sleep 5")
    back_at_once(cluster, job)


@pytest.mark.parametrize("disturb", [scancel, warn, requeue, preempt])
def test_a_job_that_is_stopped_goes_on_where_it_was(
    disturb: Callable[[Cluster, str], None], without_batch: ClusterWorkspace, local: ClusterWorkspace, cluster: Cluster
) -> None:
    snakemake = without_batch.start(TARGET)
    disturb(cluster, in_the_middle(without_batch, snakemake))
    assert end(without_batch, snakemake) == 0, without_batch.output()
    log = check(without_batch, local)
    assert f"stopped by {'SIGUSR1' if disturb is warn else 'SIGTERM'}" in log
    assert re.search(r"resumed at step \d+ of 31", log), log


def test_slurmctld_is_killed_and_restarted(
    without_batch: ClusterWorkspace, local: ClusterWorkspace, cluster: Cluster
) -> None:
    snakemake = without_batch.start(TARGET, "--printshellcmds")
    in_the_middle(without_batch, snakemake)
    cluster.kill("slurmctld")
    time.sleep(25)  # two questions of Snakemake after its jobs fail
    cluster.start_controller()
    assert end(without_batch, snakemake) == 0, without_batch.output()
    check(without_batch, local)
    assert without_batch.output().count("has been submitted") == 1


def test_a_node_is_lost_and_its_job_runs_on_beside_the_new_one(
    without_batch: ClusterWorkspace, local: ClusterWorkspace, cluster: Cluster
) -> None:
    without_batch.step_seconds = 0.3  # the node is given up after ten seconds
    snakemake = without_batch.start(TARGET)
    job = in_the_middle(without_batch, snakemake)
    cluster.kill(cluster.command("squeue", "-h", "-j", job, "-o%N").strip())
    back_at_once(cluster, job)
    assert end(without_batch, snakemake) == 0, without_batch.output()
    check(without_batch, local, twice=1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_snakemake_is_stopped_and_run_again(
    number: signal.Signals, without_batch: ClusterWorkspace, local: ClusterWorkspace
) -> None:
    """After SIGINT its jobs are cancelled; after SIGKILL the old job runs on beside the new one, and they share."""
    without_batch.step_seconds = 0.2
    snakemake = without_batch.start(TARGET)
    in_the_middle(without_batch, snakemake)
    snakemake.send_signal(number)
    snakemake.wait(60)
    if number == signal.SIGKILL:
        assert without_batch.run("--unlock").returncode == 0
    assert end(without_batch, without_batch.start(TARGET)) == 0, without_batch.output()
    log = check(without_batch, local, twice=1 if number == signal.SIGKILL else 0)
    if number == signal.SIGKILL:
        assert len(set(re.findall(r"(\d+) DEBUG made", log))) == 2, log


def test_a_time_limit_too_short_for_the_batch_is_no_loss(
    without_batch: ClusterWorkspace, local: ClusterWorkspace
) -> None:
    """Ten seconds a subset and one minute for eight of them."""
    without_batch.step_seconds = 0.33
    without_batch.config["limits"] = {"start": 0.1, "minutes": {"sparse": 0.1, "generation": 0.1}}
    snakemake = without_batch.start(TARGET)
    assert end(without_batch, snakemake, 400) == 0, without_batch.output()
    assert "TIMEOUT" in without_batch.output()
    assert "stopped by SIGTERM" in check(without_batch, local)


def test_two_jobs_write_the_same_batch_at_once(
    without_batch: ClusterWorkspace, local: ClusterWorkspace, cluster: Cluster
) -> None:
    command = without_batch.command("--nolock", "--force", TARGET)
    at = command.index("--profile")
    command[at : at + 2] = ["--cores", "1"]
    jobs = set()
    for _ in range(2):
        submit = ["sbatch", "-c1", "--mem=4000", "-D", str(without_batch.folder), "-o", "two-%j.log", "--parsable"]
        submitted = subprocess.run(
            [*submit, "--wrap", " ".join(command)],
            env=without_batch.environment(),
            check=True,
            capture_output=True,
            text=True,
        )
        jobs.add(submitted.stdout.strip())
    wait_until(lambda: jobs <= set(cluster.jobs("running")), 30, "both jobs")
    wait_until(lambda: not cluster.jobs("pending,running,completing"), 120, "their end")
    assert jobs <= set(cluster.jobs("completed"))
    check(without_batch, local, twice=8)
