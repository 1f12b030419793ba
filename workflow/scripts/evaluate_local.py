"""Scores of all methods, and losses under held-out models -> lds.csv and its figure."""

from pathlib import Path

from diffusion_credit.base.tables import read_subsets, write_csv
from diffusion_credit.local import influence
from diffusion_credit.local.losses import read_losses
from diffusion_credit.measuring.features import read_arrays
from diffusion_credit.report import figures
from diffusion_credit.subsets.design import assert_disjoint
from job import job

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    members, losses = read_losses(inputs.designs, inputs.losses)
    for path in inputs.tuning:
        assert_disjoint(read_subsets(path).members, members)
    scores = {name: read_arrays(Path(path)) for name, path in zip(params.methods, inputs.scores, strict=True)}
    found = influence.rows(members, losses, scores, params.seed)
    write_csv(snakemake.output.table, influence.HEADER, found)
    figures.save(figures.local_lds(found, "Which training images made an image"), snakemake.output.figure)
