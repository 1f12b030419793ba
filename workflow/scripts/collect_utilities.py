"""Property JSONs -> a table of utilities: subset, replicate, seed, one column a contributor, value."""

from diffusion_credit.measuring import utilities
from diffusion_credit.tables import write_subsets
from job import job

with job(snakemake):
    write_subsets(snakemake.output[0], utilities(snakemake.input.designs, snakemake.input.properties))
