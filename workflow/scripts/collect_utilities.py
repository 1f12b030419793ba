"""Property JSONs -> a table of utilities: subset, replicate, seed, one column a contributor, value."""

from diffusion_credit.base.tables import write_subsets
from diffusion_credit.measuring.values import utilities
from job import job

with job(snakemake):
    given = snakemake.input
    write_subsets(snakemake.output[0], utilities(given.designs, given.properties, snakemake.params.transform))
