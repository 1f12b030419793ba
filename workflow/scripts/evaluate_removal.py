"""Utilities, and retrained models without some -> removal.csv and its figure."""

from diffusion_credit.base.scale import named
from diffusion_credit.base.tables import read_subsets, write_csv
from diffusion_credit.credit.prediction import predict
from diffusion_credit.credit.utilities import read_utilities
from diffusion_credit.evaluation.removal import HEADER, kept, rows
from diffusion_credit.report import figures
from job import job

with job(snakemake):
    given = snakemake.input
    game = read_utilities(given.utilities, given.cheap)
    anchors, removed = (read_subsets(given[key], valued=True) for key in ("anchors", "removed"))
    predicted = predict(game, kept(game.n, removed))
    found = rows(game.contributors, predicted, removed, anchors, game.transform)
    write_csv(snakemake.output.table, HEADER, found)
    title = f"{named(snakemake.wildcards.property, game.transform)}: expected without each contributor"
    figures.save(figures.removal(found, game.n, title), snakemake.output.figure)
