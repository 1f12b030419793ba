"""Index -> what a feature extractor needs, such as the classifier of contributors, with its metrics."""

from pathlib import Path

import torch  # noqa: F401 - sets the number of threads before any work

from diffusion_credit.base.plugins import module_of
from diffusion_credit.data.images import open_pixels
from diffusion_credit.data.index import Index
from job import job

with job(snakemake) as log:
    index, options = Index(snakemake.input.index), snakemake.params.options
    module = module_of("extractors", options["kind"])
    metrics = module.fit(
        options,
        open_pixels(snakemake.input.pixels),
        index.labels,
        int(index.labels.max()) + 1,
        snakemake.params.seed,
        Path(snakemake.output[0]).parent,
    )
    known = {name.replace("_", " "): number for name, number in metrics.items() if number is not None}
    log.info("%s", ", ".join(f"{name} {number:g}" for name, number in known.items()))
