"""Studies that run on the private cluster."""

import shutil
import signal
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from cluster import Cluster
from studies import ROOT, Workspace

HELD = """\
            subset = state.name.removeprefix(".").partition(".")[0]
            while step == 9 and Path(f"hold.{subset}").exists():
                Path(f"held.{subset}").touch()
                time.sleep(0.05)
                progress(step + 1, options["steps"])
"""


class ClusterWorkspace(Workspace):
    """A study that runs through the shipped profile, edited where its user would edit it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.copytree(ROOT / "slurm", folder / "slurm")
        self.config["properties"] = {"inception_score": {"kind": "inception_score", "extractor": "classifier"}}
        del self.config["evaluation"]["lds"]  # fourteen jobs, none of which is special on a cluster
        self.config["regimes"]["sparse"]["steps"] = 31
        # A training may be held in its middle, so that a test finds a job there however fast or busy the machine is
        training = folder / "workflow/scripts/diffusion_credit/models/optimising.py"
        step = '            progress(step + 1, options["steps"])\n'
        text = training.read_text()
        assert text.count(step) == 1
        training.write_text(text.replace(step, step + HELD))
        self.cluster: Cluster | None = None

    def edit(self, **options: Any) -> None:
        """Change the profile: one level of keys, or two where the value is a dict."""
        path = self.folder / "slurm/config.yaml"
        profile = yaml.safe_load(path.read_text())
        for key, value in options.items():
            name = key.replace("_", "-")
            profile[name] = {**profile[name], **value} if isinstance(value, dict) else value
        path.write_text(yaml.safe_dump(profile))

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        command = super().command(*arguments, cores=cores)
        if self.cluster:
            at = command.index("--cores")
            command[at : at + 2] = ["--profile", "slurm"]
        return command

    @property
    def warm(self) -> bool:
        return self.cluster is None  # jobs on its nodes are to die with these

    def environment(self) -> dict[str, str]:
        environment = super().environment()
        environment |= self.cluster.environment if self.cluster else {}
        return environment

    def hold(self, *subsets: str) -> None:
        """Let the trainings of these subsets wait after ten steps, until they are released or stopped."""
        for subset in subsets:
            (self.folder / f"hold.{subset}").touch()

    def holds(self, subset: str) -> bool:
        return (self.folder / f"held.{subset}").exists()

    def release(self, subset: str) -> None:
        (self.folder / f"hold.{subset}").unlink()

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Snakemake in the background, its output in snakemake.log. It hears SIGINT, even where these tests do not."""
        with (self.folder / "snakemake.log").open("a") as log:
            return subprocess.Popen(
                self.command(*arguments), cwd=self.folder, stdout=log, stderr=log, text=True,
                env=self.environment(), start_new_session=True,
                preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
            )  # fmt: skip

    def output(self) -> str:
        return (self.folder / "snakemake.log").read_text()


def on(cluster: Cluster, workspace: ClusterWorkspace) -> ClusterWorkspace:
    """The same study, to be run on the cluster, with its status asked for often because a test cannot wait."""
    workspace.cluster = cluster
    workspace.edit(slurm_init_seconds_before_status_checks=1, latency_wait=20, max_jobs_per_timespan="20/1s")
    return workspace


def without_its_batch(cluster: Cluster, finished: ClusterWorkspace, folder: Path) -> ClusterWorkspace:
    """A copy of a finished study, on the cluster, without its batch of sampled subsets and what is made from it."""
    workspace = on(cluster, finished.copy(folder))
    for path in [*workspace.results.rglob("sparse/sampled"), workspace.results / "attribution"]:
        shutil.rmtree(path)
    (workspace.results / "utilities/inception_score.csv").unlink()
    return workspace
