"""Raw files -> index: one row an image, and all pixels in one array; of a local study, the images held back as well."""

from pathlib import Path

import numpy as np

from diffusion_credit.base.files import replacing
from diffusion_credit.base.plugins import module_of
from diffusion_credit.data.images import pixel_digests
from diffusion_credit.data.index import write_index, write_table
from diffusion_credit.local.players import as_players
from job import job

with job(snakemake) as log:
    data, local = snakemake.params.data, snakemake.params.get("local")
    source = module_of("sources", data["source"])
    images = source.read(source.Options.model_validate(data))
    if local:
        images, held_back = as_players(images, **local)
        with replacing(snakemake.output.validation) as temporary, temporary.open("wb") as stream:
            np.save(stream, held_back.pixels, allow_pickle=False)
        write_table(held_back, pixel_digests(held_back.pixels), Path(snakemake.output.held_back))
    paths = [Path(snakemake.output[key]) for key in ("table", "pixels", "summary")]
    for sentence in write_index(images, *paths):
        log.warning("Warning: %s", sentence)
    log.info("%d images of %d contributors", len(images.pixels), len(images.contributors))
