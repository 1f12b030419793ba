"""Pixels of the training data -> a collection of images like a model's, so that it is measured in the same way."""

from pathlib import Path

from diffusion_credit.features import write_data_images
from diffusion_credit.files import versions
from diffusion_credit.images import open_pixels
from diffusion_credit.index import Index
from job import job

with job(snakemake):
    provenance = {
        "pixels": Index(snakemake.input.index).pixels_digest,
        "code": snakemake.params.code,
        "versions": versions("numpy", "pillow"),
    }
    write_data_images(Path(snakemake.output[0]).parent, open_pixels(snakemake.input.pixels), provenance)
