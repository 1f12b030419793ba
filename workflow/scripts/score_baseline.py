"""Features, gradients or bounds of images -> the variants of a baseline, a value a contributor each."""

import time
from pathlib import Path

from diffusion_credit.base.files import write_json
from diffusion_credit.base.plugins import module_of
from diffusion_credit.baselines.bounds import read_bounds
from diffusion_credit.baselines.sources import read
from diffusion_credit.baselines.variants import variants, write_variants
from diffusion_credit.data.index import Index
from job import job

with job(snakemake) as log:
    index, options = Index(snakemake.input.index), snakemake.params.options
    started = time.monotonic()
    sources = {key: read(*source) for key, source in snakemake.params.sources.items()}
    if snakemake.input.bounds:
        full, *others = snakemake.input.bounds
        sources |= read_bounds(snakemake.input.designs, full, others)
    found = variants(module_of("baselines", options["kind"]), options, sources, index.owner, len(index.contributors))
    write_variants(Path(snakemake.output.table), index.contributors, found)
    about = {name: about for name, (_, about) in found.items()}
    write_json(snakemake.output.about, {"variants": about, "seconds": time.monotonic() - started})
