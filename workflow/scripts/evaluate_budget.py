"""Utilities and retrained held-out subsets -> the budget curve, its figure, and the noise of the utilities."""

from diffusion_credit.base.scale import named
from diffusion_credit.base.tables import read_subsets, write_csv
from diffusion_credit.credit import spread
from diffusion_credit.credit.attribution import estimate
from diffusion_credit.credit.utilities import NOISE_HEADER, noise_rows, read_utilities
from diffusion_credit.evaluation.budget import HEADER, curve
from diffusion_credit.report import figures
from job import job

with job(snakemake):
    params = snakemake.params
    game = read_utilities([snakemake.input.utilities])
    tables = [read_subsets(path, valued=True) for path in snakemake.input.held_out]
    held_out = dict(zip(params.alphas, tables, strict=True))
    estimators = {name: (estimate, options) for name, options in params.estimators.items()}
    rows = curve(game, held_out, estimators, params.batch_size, params.target, params.seed)
    write_csv(snakemake.output.table, HEADER, rows)
    write_csv(snakemake.output.noise, NOISE_HEADER, noise_rows(game) + spread.rows(game))
    title = f"{named(snakemake.wildcards.property, game.transform)}: what more subsets bring"
    figures.save(figures.budget_curve(rows, params.target).side_by_side(title), snakemake.output.figure)
