"""Time a model, training and generation apart, from Snakemake's benchmark files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diffusion_credit.errors import UserError
from diffusion_credit.files import read_json

HEADER = ["regime", "stage", "jobs", "models", "seconds_per_model", "cpu_seconds_per_model", "max_rss_mib"]


def rows(jobs: Sequence[tuple[str, str, Path, Path]]) -> list[list[Any]]:
    """Rows of runtime.csv. jobs: (regime, stage, benchmark file, manifest of the collection that the job made).

    Seconds include each job's start-up. A job that was cut and resumed counts its last run only.
    """
    totals: dict[tuple[str, str], list[float]] = {}
    for regime, stage, benchmark, manifest in jobs:
        lines = benchmark.read_text(encoding="utf-8").splitlines()
        if len(lines) < 2:
            raise UserError(f"{benchmark}: found no measurement, expected one of Snakemake's benchmark tables")
        found = dict(zip(lines[0].split("\t"), lines[1].split("\t"), strict=True))
        total = totals.setdefault((regime, stage), [0, 0, 0.0, 0.0, 0.0])
        total[0] += 1
        total[1] += len(read_json(manifest)["order"])
        total[2] += _number(found["s"])
        total[3] += _number(found["cpu_time"])
        total[4] = max(total[4], _number(found["max_rss"]))
    return [
        [regime, stage, int(n), int(models), round(s / models, 3), round(cpu / models, 3), round(rss, 1)]
        for (regime, stage), (n, models, s, cpu, rss) in totals.items()
    ]


def _number(text: str) -> float:
    """Snakemake writes NA for what a very short job gave no time to measure."""
    return 0.0 if text in ("NA", "-") else float(text)
