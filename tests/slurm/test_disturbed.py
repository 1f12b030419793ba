"""Jobs that are cancelled, requeued, preempted, timed out, lost or doubled: same bytes, and nothing made twice."""

import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest
from cluster import Cluster, running_cluster, wait_until
from cluster_studies import ClusterWorkspace, without_its_batch

BATCH = "models/sparse/sampled/0000"
TARGET = f"results/tiny/{BATCH}/manifest.json"
JOB = "rule_train_models_wildcards_sparse_sampled_0000"
SUBSETS = [f"{number:05d}-0" for number in range(8)]
THIRD = SUBSETS[2]


def finished(workspace: ClusterWorkspace) -> int:
    return len(list((workspace.results / BATCH).glob("*/manifest.json")))


def batch_log(workspace: ClusterWorkspace) -> str:
    """What all attempts wrote. The log itself is a link to it, which Snakemake deletes before each attempt."""
    return (workspace.results / f"logs/{BATCH}.log").with_name(".0000.log").read_text()


def makers(workspace: ClusterWorkspace) -> set[str]:
    """The processes that have finished a subset."""
    return set(re.findall(r"(\d+) DEBUG made", batch_log(workspace)))


def in_the_middle(workspace: ClusterWorkspace, snakemake: subprocess.Popen[str], subset: str = THIRD) -> str:
    """The Slurm id of the batch's job, once it is held in the middle of a subset; at least two are finished."""
    assert workspace.cluster

    def ready() -> bool:
        assert snakemake.poll() is None, workspace.output()
        return finished(workspace) >= 2 and workspace.holds(subset)

    wait_until(ready, 300, f"two finished subsets, and {subset} begun")
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
    log = batch_log(workspace)
    made = Counter(re.findall(r"DEBUG made (\S+)", log))
    assert len(made) == 8
    assert sum(made.values()) <= 8 + twice, log
    left = [path.name for path in (workspace.results / BATCH).iterdir() if path.name.startswith(".")]
    assert not left, left
    workspace.cluster = None
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
    cluster.command("sbatch", "-purgent", "-N2", "-c1", "--mem=1000", "-o/dev/null", "--wrap", "true")
    back_at_once(cluster, job)


@pytest.mark.usefixtures("too_short")  # so that its minute passes meanwhile
def test_a_job_that_is_stopped_goes_on_where_it_was(
    without_batch: ClusterWorkspace, local: ClusterWorkspace, cluster: Cluster
) -> None:
    """The same batch is stopped four times, in the middle of another subset each."""
    disturbed = dict(zip(SUBSETS[2:], (scancel, warn, requeue, preempt), strict=False))
    without_batch.hold(*disturbed)
    snakemake = without_batch.start(TARGET)
    for subset, disturb in disturbed.items():
        disturb(cluster, in_the_middle(without_batch, snakemake, subset))
    assert end(without_batch, snakemake) == 0, without_batch.output()
    log = check(without_batch, local)
    assert re.findall(r"stopped by (\w+)", log) == ["SIGTERM", "SIGUSR1", "SIGTERM", "SIGTERM"], log
    assert re.findall(r"resumed at step (\d+) of 31", log) == ["10"] * 4, log


def test_slurmctld_is_killed_and_restarted(
    without_batch: ClusterWorkspace, local: ClusterWorkspace, cluster: Cluster
) -> None:
    without_batch.hold(THIRD)
    snakemake = without_batch.start(TARGET, "--printshellcmds")
    in_the_middle(without_batch, snakemake)
    cluster.kill("slurmctld")
    fallback = "Falling back to 'sacct'"  # which slurmdbd answers, as Slurm's controller does not
    wait_until(lambda: without_batch.output().count(fallback) >= 2, 300, "two questions that the controller misses")
    cluster.start_controller()
    without_batch.release(THIRD)
    assert end(without_batch, snakemake) == 0, without_batch.output()
    check(without_batch, local)
    assert without_batch.output().count("has been submitted") == 1


def test_a_node_is_lost_and_its_job_runs_on_beside_the_new_one(
    without_batch: ClusterWorkspace, local: ClusterWorkspace, cluster: Cluster
) -> None:
    without_batch.hold(THIRD)
    snakemake = without_batch.start(TARGET)
    job = in_the_middle(without_batch, snakemake)
    cluster.kill(cluster.command("squeue", "-h", "-j", job, "-o%N").strip())
    back_at_once(cluster, job)
    wait_until(lambda: len(makers(without_batch)) == 2, 300, "a subset of the new job")
    without_batch.release(THIRD)
    assert end(without_batch, snakemake) == 0, without_batch.output()
    check(without_batch, local, twice=1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_snakemake_is_stopped_and_run_again(
    number: signal.Signals, without_batch: ClusterWorkspace, local: ClusterWorkspace, cluster: Cluster
) -> None:
    """After SIGINT its jobs are cancelled; after SIGKILL the old job runs on beside the new one, and they share."""
    without_batch.hold(THIRD)
    # Snakemake does not wait for its next look at the jobs, however far off
    without_batch.edit(slurm_init_seconds_before_status_checks=600)
    snakemake = without_batch.start(TARGET)
    in_the_middle(without_batch, snakemake)
    snakemake.send_signal(number)
    snakemake.wait(60)
    without_batch.edit(slurm_init_seconds_before_status_checks=1)
    if number == signal.SIGINT:
        wait_until(lambda: not cluster.jobs("pending,running,completing"), 60, "the end of its job")
        assert "stopped by SIGTERM" in batch_log(without_batch)
    else:
        assert without_batch.run("--unlock").returncode == 0
    snakemake = without_batch.start(TARGET)
    if number == signal.SIGKILL:
        wait_until(lambda: len(makers(without_batch)) == 2, 300, "a subset of the new job")
    without_batch.release(THIRD)
    assert end(without_batch, snakemake) == 0, without_batch.output()
    log = check(without_batch, local, twice=1 if number == signal.SIGKILL else 0)
    if number == signal.SIGKILL:
        assert len(set(re.findall(r"(\d+) DEBUG made", log))) == 2, log


@pytest.fixture(scope="module")
def too_short(
    local: ClusterWorkspace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ClusterWorkspace, subprocess.Popen[str]]]:
    """A batch that is held for longer than its time limit, already started, on a cluster without accounting."""
    with running_cluster(accounting=False) as cluster:
        workspace = without_its_batch(cluster, local, tmp_path_factory.mktemp("short") / "study")
        workspace.config["limits"] = {"start": 0.1, "minutes": {"sparse": 0.1, "generation": 0.1}}
        workspace.hold(THIRD)
        snakemake = workspace.start(TARGET)
        yield workspace, snakemake
        snakemake.kill()


def test_a_time_limit_too_short_for_the_batch_is_no_loss(
    too_short: tuple[ClusterWorkspace, subprocess.Popen[str]], local: ClusterWorkspace
) -> None:
    """Slurm's least limit, one minute, on a cluster where `sacct` only complains."""
    workspace, snakemake = too_short
    assert workspace.cluster
    sacct = subprocess.run(["sacct"], env=workspace.cluster.environment, capture_output=True, text=True, check=False)
    assert "disabled" in sacct.stderr
    assert end(workspace, snakemake, 400) == 0, workspace.output()
    assert "TIMEOUT" in workspace.output()
    manifest = workspace.results / BATCH / "manifest.json"
    assert manifest.read_bytes() == (local.results / BATCH / "manifest.json").read_bytes()
    assert "stopped by SIGTERM" in check(workspace, local)


def test_two_jobs_write_the_same_batch_at_once(
    without_batch: ClusterWorkspace, local: ClusterWorkspace, cluster: Cluster
) -> None:
    without_batch.hold(SUBSETS[0])
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
    wait_until(lambda: finished(without_batch) == 7, 300, "all subsets but the first")
    without_batch.release(SUBSETS[0])
    wait_until(lambda: not cluster.jobs("pending,running,completing"), 120, "their end")
    assert jobs <= set(cluster.jobs("completed"))
    check(without_batch, local, twice=8)
