"""Pixels of the training data -> a collection of images like a model's, so that it is measured in the same way."""

from pathlib import Path

from diffusion_credit.base.files import digest_of_file, versions
from diffusion_credit.data.images import open_pixels
from diffusion_credit.measuring.features import write_data_images
from job import job

with job(snakemake):
    provenance = {
        "pixels": digest_of_file(Path(snakemake.input.pixels)),
        "code": snakemake.params.code,
        "versions": versions("numpy", "pillow"),
    }
    write_data_images(Path(snakemake.output[0]).parent, open_pixels(snakemake.input.pixels), provenance)
