"""Tiny studies and helpers that run the workflow as a user does."""

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import yaml
from warm import WARM

ROOT = Path(__file__).parent.parent
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")  # of Debian's dataset-fashion-mnist
TRAINING = {"steps": 4, "batch_size": 8, "learning_rate": 0.002}


def tiny_config() -> dict[str, Any]:
    """A study that runs in a minute: three digits, 8x8, a network of 8 channels, a handful of steps."""
    return {
        "study": "tiny",
        "seed": 1,
        "data": {"source": "digits", "contributors": [0, 1, 2, 3, 4]},
        "model": {"kind": "unet", "channels": [8, 16], "layers_per_block": 1, "norm_groups": 4},
        "diffusion": {"schedule": "squaredcos_cap_v2", "prediction": "sample"},
        "training": {**TRAINING, "steps": 150},
        "pruning": {"ratio": 0.5, "refit": TRAINING},
        "regimes": {"sparse": {**TRAINING, "steps": 30}, "retrain": TRAINING, "finetune": TRAINING},
        "design": {"subsets": 8, "batch_size": 8, "anchors": 2, "empty": "untrained"},
        "generation": {"images": 12, "solver": "dpm_solver++", "steps": 2},
        "extractors": {"classifier": {"kind": "classifier", "steps": 20}},
        "properties": {
            "inception_score": {"kind": "inception_score", "extractor": "classifier"},
            "fid": {"kind": "fid", "extractor": "classifier"},
            "cluster_entropy": {"kind": "cluster_entropy", "extractor": "classifier", "clusters": 3},
        },
        "estimators": {"ridge": {"kind": "ridge"}, "paper": {"kind": "paper"}},
        "evaluation": {
            "lds": {"alphas": [0.5], "subsets": 4, "replicates": 2, "regimes": ["sparse", "finetune"]},
            "counterfactual": {"share": 0.4, "replicates": 2, "estimator": "ridge"},
        },
    }


class Workspace:
    """A copy of the workflow in a folder of its own, with a config to edit and Snakemake to run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = tiny_config()
        if folder.joinpath("Snakefile").exists():  # another worker has made it
            return
        folder.mkdir(exist_ok=True)
        ignore = shutil.ignore_patterns("__pycache__")
        for name in ("rules", "workflow", "envs", "profiles"):
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        shutil.copy(ROOT / "Snakefile", folder)

    def copy(self, folder: Path) -> "Workspace":
        """The same study with all its results, in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        other = copy.copy(self)
        other.folder, other.config = folder, copy.deepcopy(self.config)
        return other

    @property
    def warm(self) -> bool:
        """May Snakemake and its jobs be forked from a server of the tests?"""
        return True

    @property
    def results(self) -> Path:
        return self.folder / "results" / "tiny"

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        (self.folder / "study.yaml").write_text(yaml.safe_dump(self.config, allow_unicode=True), encoding="utf-8")
        snakemake = [
            sys.executable,
            "-m",
            "snakemake",
            "--configfile",
            "study.yaml",
            "--cores",
            str(cores),
            "--nocolor",
        ]
        return [*snakemake, *arguments]

    def run(self, *arguments: str, cores: int = 2, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end, where it may by processes that have imported everything before."""
        command = self.command(*arguments, cores=cores)
        return subprocess.run(
            [str(WARM.client()), *command[1:]] if self.warm and not options else command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment(),
            check=False,
            **options,
        )

    def finish(self) -> Self:
        """Run the whole study, undisturbed."""
        process = self.run()
        assert process.returncode == 0, process.stdout
        (self.folder / ".snakemake/printed.txt").write_text(process.stdout, encoding="utf-8")
        return self

    @property
    def printed(self) -> str:
        """By the run that finished the study; nothing before."""
        file = self.folder / ".snakemake/printed.txt"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def environment(self) -> dict[str, str]:
        return {**os.environ, "XDG_CACHE_HOME": str(self.folder / ".cache")}

    def planned(self, *targets: str) -> dict[str, int]:
        """Rule -> number of jobs that Snakemake would run now, for everything or these targets."""
        process = self.run(*targets, "--dry-run", "--quiet", "reason")
        assert process.returncode == 0, process.stdout
        counts: dict[str, int] = {}
        for line in process.stdout.splitlines():
            words = line.split()
            if len(words) == 2 and words[1].isdigit() and words[0].isidentifier() and words[0] not in ("total", "all"):
                counts[words[0]] = int(words[1])
        return counts

    def csvs(self) -> dict[str, bytes]:
        """Every CSV that must not depend on how the run went; times and memory may."""
        return {
            str(path.relative_to(self.results)): path.read_bytes()
            for path in sorted(self.results.rglob("*.csv"))
            if path.name not in ("runtime.csv", "league.csv", "cost.csv")
        }

    def manifest(self, *parts: str) -> Any:
        return json.loads(self.results.joinpath(*parts, "manifest.json").read_text())
