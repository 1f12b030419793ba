"""What the next run has to do and why, as Snakemake's own dry run says it.

The rules alone know what every result depends on, so nothing of that is repeated here. A dry run takes no lock and
writes no file; it can be made while another Snakemake works in the same folder.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from diffusion_credit.base.files import MANIFEST

PARAMS = re.compile(r"Params have changed since last execution: .*? before: (.*) now: (.*?) *(?:;|$)")
NEWER = re.compile(r"Updated input files: ([^;]*)")
DIGEST = re.compile(r"[0-9a-f]{64}")
SHOWN = 3  # differences between two sections that are named
LONGEST = 60  # characters of a value that is named


@dataclass(frozen=True)
class Job:
    """A job that Snakemake would run: its rule, the files it reads and writes, and Snakemake's reason."""

    rule: str
    inputs: list[str]
    outputs: list[str]
    reason: str

    @property
    def differs(self) -> bool:
        """Whether its results were made with other options or code; known only while they are there."""
        return PARAMS.search(self.reason) is not None

    def why(self) -> str | None:
        """The reason in plain words; None where it follows from another job's, or nothing has been made yet."""
        if found := PARAMS.search(self.reason):
            return _difference(*map(_values, found.groups()))
        if "Set of input files has changed" in self.reason:
            return "made from other files than are asked for now"
        if found := NEWER.search(self.reason):
            newer = found[1].split(", ")
            return f"older than {newer[0]}" + (f" and {len(newer) - 1} more" if len(newer) > 1 else "")
        return None


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
    if not Path("Snakefile").is_file():
        return Pending(unknown="Snakefile: not found, expected the folder of the workflow")
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--nolock", "--rerun-incomplete", "--nocolor"]
    process = subprocess.run(
        [*command, "--cores", "1", "--configfile", str(config), "--config", f"scale={scale}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    if process.returncode:
        said = [line.strip() for line in process.stdout.splitlines() if line.strip()]
        return Pending(unknown=f"Snakemake says: {said[-1] if said else process.returncode}")
    return Pending(list(read(process.stdout)))


def command_of(config: Path, scale: str) -> str:
    """The command that brings a study up to date."""
    return f"snakemake --cores all --configfile {config}" + ("" if scale == "full" else f" --config scale={scale}")


def read(text: str) -> Iterator[Job]:
    """The jobs with outputs of what a dry run prints."""
    for block in re.split(r"^(?:local)?(?:rule|checkpoint) ", text, flags=re.MULTILINE)[1:]:
        rule, _, lines = block.partition(":\n")
        found = dict(re.findall(r"^    (\w+): (.*)$", lines.partition("\n\n")[0], re.MULTILINE))
        if "output" in found:
            yield Job(rule, found.get("input", "").split(", "), found["output"].split(", "), found.get("reason", ""))


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


def _values(text: str) -> list[Any]:
    try:
        return list(ast.literal_eval(f"[{text}]"))
    except (SyntaxError, ValueError):  # Snakemake's words for nothing
        return []


def _difference(before: list[Any], now: list[Any]) -> str:
    """What differs between the params that a result was made with and those of now, which have no names."""
    sections = [{key: value for part in side if isinstance(part, dict) for key, value in part.items()}
                for side in (before, now)]  # fmt: skip
    named = list(_changes(*sections))
    others = [[part for part in side if not isinstance(part, dict)] for side in (before, now)]
    digests, plain = ([[part for part in side if _is_digest(part) == wanted] for side in others]
                      for wanted in (True, False))  # fmt: skip
    if any(digests):
        named.append("the code or the raw files that it is made with are others")
    if any(plain):
        named.append(_change("an option", *(side[0] if len(side) == 1 else ABSENT for side in plain)))
    more = [f"{len(named) - SHOWN} more changes"] if len(named) > SHOWN else []
    return "; ".join([*named[:SHOWN], *more])


ABSENT = object()


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def _changes(before: dict[str, Any], now: dict[str, Any], within: str = "") -> Iterator[str]:
    for key in dict.fromkeys([*before, *now]):
        old, new = before.get(key, ABSENT), now.get(key, ABSENT)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changes(old, new, f"{within}{key}.")
        elif old != new:
            yield _change(f"{within}{key}", old, new)


def _change(name: str, old: Any, new: Any) -> str:
    texts = [None if value is ABSENT else repr(value) for value in (old, new)]
    if any(text is None or len(text) > LONGEST for text in texts):
        return f"{name} is another"
    return f"{name} was {texts[0]}, is {texts[1]}"
