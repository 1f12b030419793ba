"""Checkpoints -> a folder of generated images each."""

from pathlib import Path

from diffusion_credit.generation import generate
from diffusion_credit.members import entries
from job import job, progress

with job(snakemake) as log:
    models = Path(snakemake.input[0])
    made = generate(
        models,
        Path(snakemake.output[0]).parent,
        {**snakemake.params.options, "code": snakemake.params.code},
        progress(log, "image", len(entries(models))),
    )
    log.info("%s: %d folders of images made, %d were there", snakemake.output[0], made, len(entries(models)) - made)
