"""Features, or images -> one property JSON for each model."""

from pathlib import Path

from diffusion_credit.base.plugins import module_of
from diffusion_credit.measuring.features import read_arrays
from diffusion_credit.measuring.values import measure
from job import job

with job(snakemake):
    options, reference = snakemake.params.options, next(map(Path, snakemake.input.reference), None)
    measure(
        snakemake.wildcards.property,
        module_of("properties", options["kind"]),
        options,
        Path(snakemake.input.source),
        (reference, read_arrays(reference)) if reference else None,
        Path(snakemake.output[0]).parent,
        snakemake.params.code,
    )
