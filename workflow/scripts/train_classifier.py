"""Index -> the classifier of contributors, with its held-out accuracy."""

from pathlib import Path

import torch  # noqa: F401 - sets the number of threads before any work

from diffusion_credit.classifier import train_classifier
from diffusion_credit.images import open_pixels
from diffusion_credit.index import Index
from job import job

with job(snakemake) as log:
    index = Index(snakemake.input.index)
    metrics = train_classifier(
        open_pixels(snakemake.input.pixels),
        index.owner,
        len(index.contributors),
        snakemake.params.options,
        snakemake.params.seed,
        Path(snakemake.output[0]).parent,
    )
    log.info("accuracy on held-out images: %s", metrics["accuracy_held_out"])
