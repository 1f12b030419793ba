"""Snakemake's benchmarks -> runtime.csv, training and generation apart, per regime."""

from pathlib import Path

from diffusion_credit.evaluation.runtime import HEADER, rows
from diffusion_credit.tables import write_csv
from job import job

with job(snakemake):
    jobs = zip(
        snakemake.params.regimes,
        snakemake.params.stages,
        map(Path, snakemake.input.benchmarks),
        map(Path, snakemake.input.manifests),
        strict=True,
    )
    write_csv(snakemake.output[0], HEADER, rows(list(jobs)))
