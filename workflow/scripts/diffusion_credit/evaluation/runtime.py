"""Time a model, training and generation apart, and what the jobs took as a whole by Snakemake's benchmarks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffusion_credit.base.collection import SECONDS, entries
from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import read_json

HEADER = ["regime", "stage", "models", "seconds_per_model", "jobs", "job_seconds", "max_rss_mib"]


def rows(jobs: Sequence[tuple[str, str, Path, Path]]) -> list[list[Any]]:
    """Rows of runtime.csv. jobs: (regime, stage, benchmark file, manifest of the collection that the job made).

    seconds_per_model: the mean over models of the work alone, without start-up. job_seconds: wall time of
    all jobs with their start-up, as Snakemake measured the last run of each.
    """
    totals: dict[tuple[str, str], list[Any]] = {}
    for regime, stage, benchmark, manifest in jobs:
        lines = benchmark.read_text(encoding="utf-8").splitlines()
        if len(lines) < 2:
            raise UserError(f"{benchmark}: found no measurement, expected one of Snakemake's benchmark tables")
        found = dict(zip(lines[0].split("\t"), lines[1].split("\t"), strict=True))
        total = totals.setdefault((regime, stage), [[], 0, 0.0, 0.0])
        total[0] += [read_json(folder / SECONDS) for folder, _ in entries(manifest).values()]
        total[1] += 1
        total[2] += _number(found["s"])
        total[3] = max(total[3], _number(found["max_rss"]))
    return [
        [regime, stage, len(each), round(sum(each) / len(each), 3), n, round(seconds, 1), round(rss, 1)]
        for (regime, stage), (each, n, seconds, rss) in totals.items()
    ]


def _number(text: str) -> float:
    """Snakemake writes NA for what a very short job gave no time to measure."""
    return 0.0 if text in ("NA", "-") else float(text)
