"""Models retrained without the top, with only the top, and without the bottom -> counterfactual.csv and its figure."""

import numpy as np

from diffusion_credit.base.tables import read_subsets, write_csv
from diffusion_credit.evaluation.counterfactual import HEADER, rows
from diffusion_credit.report import figures
from job import job

with job(snakemake):
    anchors, removed = (read_subsets(snakemake.input[key], valued=True) for key in ("anchors", "removed"))
    found = rows(anchors, removed)
    write_csv(snakemake.output.table, HEADER, found)
    shown = [row for row in found if row[5] != ""]
    change, low, high = (np.array([row[column] for row in shown], dtype=float) for column in (5, 6, 7))
    labels = [row[0].replace("_", " ") for row in shown]
    title = f"{snakemake.wildcards.property}: models retrained on part; top and bottom are {snakemake.params.share:.0%}"
    figures.save(figures.change_bars(labels, change, low, high, title), snakemake.output.figure)
