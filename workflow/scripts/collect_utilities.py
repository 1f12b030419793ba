"""Property JSONs -> a table of utilities: subset, replicate, seed, one column a contributor, value."""

from diffusion_credit.base.tables import write_subsets
from diffusion_credit.measuring.values import utilities
from job import job

with job(snakemake):
    write_subsets(snakemake.output[0], utilities(snakemake.input.designs, snakemake.input.properties))
