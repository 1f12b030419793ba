"""Snakemake's benchmarks -> runtime.csv, training and generation apart, per regime."""

from pathlib import Path

from diffusion_credit.base.tables import write_csv
from diffusion_credit.evaluation.runtime import HEADER, rows
from job import job

STAGES = {"models": "training", "images": "generation"}

with job(snakemake):
    jobs = []
    for benchmark, manifest in zip(snakemake.input.benchmarks, snakemake.input.manifests, strict=True):
        stage, regime = Path(manifest).parts[-5:-3]  # .../stage/regime/list/batch/manifest.json
        jobs.append((regime, STAGES[stage], Path(benchmark), Path(manifest)))
    write_csv(snakemake.output[0], HEADER, rows(jobs))
