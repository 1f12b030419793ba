"""Features or gradients of training and generated images -> the variants of a baseline, a value a contributor each."""

import time
from pathlib import Path

import numpy as np

from diffusion_credit import gradient_arrays
from diffusion_credit.crediting import write_variants
from diffusion_credit.features import images_of, read_features
from diffusion_credit.files import write_json
from diffusion_credit.index import Index
from diffusion_credit.members import only_entry
from diffusion_credit.plugins import module_of
from job import job


def read(stage, manifest):
    """The arrays of one source, by name; of gradients, by model and set before that."""
    if stage == "gradients":
        return gradient_arrays.read(Path(manifest))
    if stage == "images":
        ((_, images),) = images_of(Path(manifest)).values()
        pixels = images()
        return {"features": pixels.reshape(len(pixels), -1).astype(np.float32) / 127.5 - 1}
    return read_features(only_entry(manifest))


with job(snakemake) as log:
    index, options = Index(snakemake.input.index), snakemake.params.options
    started = time.monotonic()
    sources = {key: read(*source) for key, source in snakemake.params.sources.items()}
    module = module_of("baselines", options["kind"])
    found = module.variants(options, sources, index.owner, len(index.contributors))
    write_variants(Path(snakemake.output.table), index.contributors, found)
    about = {name: about for name, (_, about) in found.items()}
    write_json(snakemake.output.about, {"variants": about, "seconds": time.monotonic() - started})
