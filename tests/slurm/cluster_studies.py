"""Studies that run on the private cluster."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml
from cluster import Cluster
from studies import ROOT, Workspace


class ClusterWorkspace(Workspace):
    """A study that runs through the shipped profile, edited where its user would edit it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.copytree(ROOT / "slurm", folder / "slurm")
        self.config["properties"] = {"inception_score": {"kind": "inception_score", "extractor": "classifier"}}
        self.config["evaluation"]["lds"]["regimes"] = ["sparse"]
        self.config["regimes"]["sparse"]["steps"] = 31
        # A step may be slow, so that a test can find a job in the middle of its batch without using the processor
        training = folder / "workflow/scripts/diffusion_credit/models/training.py"
        step = '            progress(step + 1, options["steps"])\n'
        text = training.read_text()
        assert text.count(step) == 1
        slow = f'            __import__("time").sleep(float(__import__("os").environ.get("STEP_SECONDS", 0)))\n{step}'
        training.write_text(text.replace(step, slow))
        self.step_seconds = 0.0
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

    def environment(self) -> dict[str, str]:
        environment = super().environment()
        environment |= self.cluster.environment if self.cluster else {}
        return {**environment, "STEP_SECONDS": str(self.step_seconds)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Snakemake in the background, its output in snakemake.log."""
        with (self.folder / "snakemake.log").open("a") as log:
            return subprocess.Popen(
                self.command(*arguments), cwd=self.folder, stdout=log, stderr=log, text=True,
                env=self.environment(), start_new_session=True,
            )  # fmt: skip

    def output(self) -> str:
        return (self.folder / "snakemake.log").read_text()


def on(cluster: Cluster, workspace: ClusterWorkspace) -> ClusterWorkspace:
    """The same study, to be run on the cluster, with its status asked for often because a test cannot wait."""
    workspace.cluster = cluster
    workspace.edit(slurm_init_seconds_before_status_checks=1, latency_wait=20, max_jobs_per_timespan="20/1s")
    return workspace
