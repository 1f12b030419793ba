"""A local folder or the hub's repository -> the manifest of pretrained weights, with the digest of every file."""

from pathlib import Path

from diffusion_credit.models.weights import fetch
from job import job

with job(snakemake):
    fetch(snakemake.wildcards.weights, snakemake.params.options, Path(snakemake.output.manifest))
