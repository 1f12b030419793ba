"""What the next run has to do and why, as Snakemake itself says it.

The rules alone know what every result depends on, so nothing of that is repeated here. Snakemake is asked in a process
that takes no lock and writes no file; it can be asked while another Snakemake works in the same folder.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from diffusion_credit.base.files import MANIFEST
from diffusion_credit.study.progress.differences import difference, literal

SECTIONS = {"full": "training", "refit": "pruning.refit"}  # regime -> its section, where that is not of its own name
NEWER = re.compile(r"Updated input files: ([^;]*)")
FOLLOWS = "Input files updated by another job: "


@dataclass(frozen=True)
class Job:
    """A job that Snakemake would run: its rule, the files it reads and writes, and Snakemake's reason.

    made_from: number of files that its last results were made from. params: options, device and code of now, where the
    rule has them. before, now: values of params that differ between its last results and now, as Python writes them.
    """

    rule: str
    inputs: list[str]
    outputs: list[str]
    reason: str
    made_from: int
    params: dict[str, Any]
    before: list[str]
    now: list[str]

    @property
    def differs(self) -> bool:
        """Whether its last results were made with other options or code."""
        return bool(self.before or self.now)

    def why(self) -> str | None:
        """The reason in plain words; None where it follows from another job's, or nothing has been made yet."""
        if self.differs:
            text = difference([*map(literal, self.before)], [*map(literal, self.now)])
            if self.rule == "train_models":  # which is told the section of its regime
                regime = self.params["options"]["regime"]
                text = text.replace("training.", f"{SECTIONS.get(regime, f'regimes.{regime}')}.")
            return text
        if self.made_from != len(self.inputs):
            return f"the number of files that it is made from was {self.made_from}, is {len(self.inputs)}"
        if "Set of input files has changed" in self.reason:
            return "made from other files than it is to be made from"
        if "Missing output files" in self.reason:
            return None
        if found := NEWER.search(self.reason):
            newer = found[1].split(", ")
            return f"older than {newer[0]}" + (f" and {len(newer) - 1} more" if len(newer) > 1 else "")
        return None

    @property
    def only_resized(self) -> bool:
        """Whether a list of subsets is as it was but for its end: a longer list begins with the shorter one."""
        numbers = [*map(literal, self.before), *map(literal, self.now)]
        return self.rule == "make_design" and len(numbers) == 2 and all(type(number) is int for number in numbers)

    def makes(self, provenance: dict[str, Any]) -> bool:
        """Whether an entry with this provenance was made with the params of now.

        Options are recorded as a section or one by one, where a model has a seed of its own.
        """
        options = self.params.get("options", {})
        one_by_one = {key: value for key, value in options.items() if key != "seed"}
        others = {key: value for key, value in self.params.items() if key != "options"}
        if options in provenance.values():
            one_by_one = {}
        return all(provenance.get(key) == value for key, value in [*one_by_one.items(), *others.items()])


@dataclass(frozen=True)
class Pending:
    """The jobs of the next run. unknown: why Snakemake could not say, else empty."""

    jobs: list[Job] = field(default_factory=list)
    unknown: str = ""

    @cached_property
    def job_of(self) -> dict[str, Job]:
        """File -> the job that would make it."""
        return {output: job for job in self.jobs for output in job.outputs}

    @cached_property
    def differing(self) -> set[str]:
        """Manifests whose entries cannot stay: made with other options or code, or from such manifests.

        An entry records the digests of what it was made from, hence of all that these depend on. A plain file, such as
        a list of subsets, may come out as it was: what was made from it may stay.
        """
        known: dict[str, bool] = {}

        def differs(file: str) -> bool:
            if file not in known:
                job = self.job_of.get(file) if Path(file).name == MANIFEST else None
                known[file] = job is not None and (job.differs or any(map(differs, job.inputs)))
            return known[file]

        return {file for file in self.job_of if differs(file)}

    @cached_property
    def resized(self) -> set[str]:
        """Lists that only get another end, and manifests that run for nothing else: their entries stay."""
        known: dict[str, bool] = {}

        def is_resized(file: str) -> bool:
            if file not in known:
                job = self.job_of[file]
                behind = [name for name in job.inputs if name in self.job_of]
                alone = job.reason.startswith(FOLLOWS) and ";" not in job.reason and not job.differs
                if job.only_resized:
                    known[file] = not behind
                else:
                    known[file] = alone and Path(file).name == MANIFEST and all(map(is_resized, behind))
            return known[file]

        return {file for file in self.job_of if is_resized(file)}

    def behind(self, files: Iterable[str]) -> list[Job]:
        """The jobs that have to run before these files are up to date."""
        found: dict[int, Job] = {}
        waiting = [*files]
        while waiting:
            job = self.job_of.get(waiting.pop())
            if job and id(job) not in found:
                found[id(job)] = job
                waiting += job.inputs
        return list(found.values())


def ask(config: Path, scale: str) -> Pending:
    """What Snakemake would run in this folder for a study's results."""
    for name, what in (("Snakefile", "the folder of the workflow"), (".snakemake/metadata", "Snakemake's records")):
        if not Path(name).exists():
            return Pending(unknown=f"{name}: not found, expected {what}")
    command = [sys.executable, "-P", str(Path(__file__).with_name("dry_run.py"))]
    options = ["--summary", "--dry-run", "--nolock", "--rerun-incomplete", "--nocolor", "--cores", "1"]
    process = subprocess.run(
        [*command, *options, "--configfile", str(config), "--config", f"scale={scale}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    lines = process.stdout.splitlines()
    if process.returncode:
        said = [line for line in lines if line[:1].strip()]  # what is indented says where in the workflow it failed
        return Pending(unknown=f"Snakemake says: {said[-1] if said else process.stderr.strip()}")
    return Pending([Job(**json.loads(line)) for line in lines if line.startswith("{")])


def command_of(config: Path, scale: str) -> str:
    """The command that brings a study up to date."""
    return f"snakemake --cores all --configfile {config}" + ("" if scale == "full" else f" --config scale={scale}")


def whys(jobs: Iterable[Job], results: Path) -> list[str]:
    """A line for each reason that is no other job's: what it concerns, and what changed."""
    concerned: dict[tuple[str, str], list[str]] = {}
    for job in jobs:
        if why := job.why():
            name = os.path.relpath(job.outputs[0], results).removesuffix(f"/{MANIFEST}")
            concerned.setdefault((job.rule, why), []).append(name)
    return sorted(
        f"{min(names)}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {why}"
        for (_, why), names in concerned.items()
    )
