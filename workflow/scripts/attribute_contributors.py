"""Utilities -> one attribution per contributor."""

from importlib import import_module

from diffusion_credit.attribution import attribute, write_attribution
from diffusion_credit.tables import read_subsets
from job import job

with job(snakemake):
    options = snakemake.params.options
    estimator = import_module(f"diffusion_credit.estimators.{options['kind']}")
    table = read_subsets(snakemake.input[0], valued=True)
    result = attribute(table, estimator.estimate, options, snakemake.params.higher_is_better)
    write_attribution(snakemake.output[0], result)
