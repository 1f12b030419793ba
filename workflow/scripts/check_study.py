"""Index -> the checks of the config that need the contributors, before anything is trained."""

from diffusion_credit.checking import check
from diffusion_credit.config import read_study
from diffusion_credit.files import write_json
from diffusion_credit.index import Index
from job import job

with job(snakemake):
    write_json(snakemake.output[0], check(read_study(snakemake.config), Index(snakemake.input.index)))
