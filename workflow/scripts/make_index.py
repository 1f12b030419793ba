"""Raw files -> index: one row an image, and all pixels in one array."""

from pathlib import Path

from diffusion_credit.index import write_index
from diffusion_credit.plugins import module_of
from job import job

with job(snakemake) as log:
    data = snakemake.params.data
    source = module_of("sources", data["source"])
    images = source.read(source.Options.model_validate(data))
    paths = [Path(snakemake.output[key]) for key in ("table", "pixels", "summary")]
    for sentence in write_index(images, *paths):
        log.warning("Warning: %s", sentence)
    log.info("%d images of %d contributors", len(images.pixels), len(images.contributors))
