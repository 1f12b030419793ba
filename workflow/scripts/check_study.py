"""Index -> the checks of the config that need the contributors, before anything is trained."""

from diffusion_credit.base.files import write_json
from diffusion_credit.base.plugins import module_of
from diffusion_credit.data.index import Index
from diffusion_credit.study.checking import check, digest
from diffusion_credit.study.config import read_study
from job import job

with job(snakemake):
    study = read_study(snakemake.config)
    found = check(study, Index(snakemake.input.index))
    raw = module_of("sources", study.data.source).fingerprint(study.data)
    write_json(snakemake.output[0], {**found, "data": digest(study, raw)})
