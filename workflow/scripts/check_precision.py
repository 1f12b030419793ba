"""Utilities of the first batches -> the largest standard error of each property, and how many batches come next."""

from diffusion_credit.base.files import write_json
from diffusion_credit.credit.attribution import estimate
from diffusion_credit.evaluation.budget import look
from diffusion_credit.measuring.values import utilities_of_each
from job import job

with job(snakemake) as log:
    rule, given = snakemake.params.rule, snakemake.input
    tables = utilities_of_each(given.designs, given.properties, rule["transforms"])
    found = look(tables, estimate, rule["options"], rule["targets"], rule["batch_size"], rule["maximum"])
    for name, text in found["reasons"].items():
        log.info("%d subsets, %s: %s", found["subsets"], name, text)
    write_json(snakemake.output[0], found)
