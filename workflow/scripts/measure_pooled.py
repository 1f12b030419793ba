"""What the conditional model draws for each contributor, and a design -> one property JSON for each subset."""

from pathlib import Path

from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.tables import read_subsets
from diffusion_credit.data.index import Index
from diffusion_credit.measuring.conditional import Pool, value_of
from diffusion_credit.measuring.features import read_arrays
from diffusion_credit.measuring.values import definition, write_values
from job import job

with job(snakemake):
    options, table = snakemake.params.options, read_subsets(snakemake.input.design)
    path = next(map(Path, snakemake.input.reference), None)
    reference = (path, read_arrays(path)) if path else None
    pool = Pool(Path(snakemake.input.source), snakemake.params.images, Index(snakemake.input.index).counts)
    rows = dict(zip(table.names, zip(table.members, table.seed, strict=True), strict=True))
    common = definition(options, snakemake.params.code, reference) | {"source": pool.digests}
    wanted = {
        name: {**common, "members": [int(i) for i in members.nonzero()[0]], "seed": seed}
        for name, (members, seed) in rows.items()
    }
    module = module_of("properties", options["kind"])
    write_values(
        snakemake.wildcards.property,
        Path(snakemake.input.design),
        wanted,
        lambda name: value_of(module, options, pool.drawn(*rows[name]), reference[1] if reference else {}),
        Path(snakemake.output[0]).parent,
    )
