"""Generated images, or the training data -> features, one file for each model and extractor."""

from functools import partial
from pathlib import Path

import torch  # noqa: F401 - sets the number of threads before any work

from diffusion_credit.features import all_images, extract, images_of
from diffusion_credit.files import digest_of_file
from diffusion_credit.images import open_pixels
from diffusion_credit.index import Index
from diffusion_credit.plugins import module_of
from job import job

with job(snakemake):
    options, model = snakemake.params.options, Path(snakemake.input.extractor)
    module = module_of("extractors", options["kind"])
    if "pixels" in snakemake.input.keys():  # noqa: SIM118 - a Namedlist is no mapping
        images = all_images(open_pixels(snakemake.input.pixels), Index(snakemake.input.index).pixels_digest)
    else:
        images = images_of(Path(snakemake.input.images))
    depends = {"options": options, "code": snakemake.params.code, "extractor": digest_of_file(model)}
    extract(images, Path(snakemake.output[0]).parent, partial(module.load, options, model.parent), depends)
