"""Generated images, and the same noise through models without their best training images -> how much they changed."""

from pathlib import Path

import numpy as np

from diffusion_credit.base.collection import entries, only_entry
from diffusion_credit.base.tables import write_csv
from diffusion_credit.local import regeneration
from diffusion_credit.measuring.features import images_of, read_features
from diffusion_credit.report import figures
from job import job

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    ((_, read),) = images_of(Path(inputs.original)).values()
    original, embedded = read()[: params.shown], read_features(only_entry(inputs.features))["features"][: params.shown]
    changes = {}
    for at, name in enumerate(params.methods):
        each = len(inputs.images) // len(params.methods)
        chosen = slice(at * each, (at + 1) * each)
        found = [one() for path in inputs.images[chosen] for _, one in images_of(Path(path)).values()]
        features = [
            read_features(folder)["features"]
            for path in inputs.embedded[chosen]
            for folder, _ in entries(path).values()
        ]
        changes[name] = regeneration.changes(original, np.concatenate(found), embedded, np.concatenate(features))
    write_csv(snakemake.output.images, *regeneration.change_table(changes))
    rows = regeneration.change_rows(changes, params.seed)
    write_csv(snakemake.output.table, regeneration.CHANGES, rows)
    figures.save(figures.regeneration(rows, "Drawn again without the best training images"), snakemake.output.figure)
