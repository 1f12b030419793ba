"""Data, full, pruned and re-fitted model -> models.csv: parameters and every property."""

from diffusion_credit.base.collection import only_entry
from diffusion_credit.base.files import CHECKPOINT, read_json
from diffusion_credit.base.tables import write_csv
from diffusion_credit.measuring.values import values
from job import job

with job(snakemake):
    names, properties = snakemake.params.models, snakemake.params.properties
    parameters = {"data": ""} | {
        name: read_json(only_entry(path) / CHECKPOINT)["parameters"]
        for name, path in zip(names[1:], snakemake.input.models, strict=True)
    }
    found = [next(iter(values([path]).values())) for path in snakemake.input.properties]
    rows = [[name, parameters[name], *found[i * len(properties) :][: len(properties)]] for i, name in enumerate(names)]
    write_csv(snakemake.output[0], ["images_of", "parameters", *properties], rows)
