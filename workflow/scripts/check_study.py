"""Index -> the checks of the config that need the contributors, before anything is trained."""

from diffusion_credit.checking import check, digest
from diffusion_credit.config import read_study
from diffusion_credit.files import write_json
from diffusion_credit.index import Index
from diffusion_credit.plugins import module_of
from job import job

with job(snakemake):
    study = read_study(snakemake.config)
    found = check(study, Index(snakemake.input.index))
    raw = module_of("sources", study.data.source).fingerprint(study.data)
    write_json(snakemake.output[0], {**found, "data": digest(study, raw)})
