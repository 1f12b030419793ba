"""Images -> features, one file for each model and extractor."""

from functools import partial
from pathlib import Path

import torch  # noqa: F401 - sets the number of threads before any work

from diffusion_credit.base.files import digest_of_file
from diffusion_credit.base.plugins import module_of, packages_of
from diffusion_credit.measuring.features import extract, images_of
from diffusion_credit.models.weights import by_name, digests_of
from job import job

with job(snakemake, uses="extractors"):
    options, device = snakemake.params.options, snakemake.params.device
    fitted, weights = next(map(Path, snakemake.input.fitted), None), by_name(snakemake.input.weights)
    depends = {
        "options": options,
        "code": snakemake.params.code,
        "device": device,
        "extractor": digest_of_file(fitted) if fitted else None,
        "weights": digests_of(weights),
        "versions": packages_of("extractors", options["kind"]),
    }
    load = partial(module_of("extractors", options["kind"]).load, options, fitted and fitted.parent, weights, device)
    extract(images_of(Path(snakemake.input.images)), Path(snakemake.output[0]).parent, load, depends)
