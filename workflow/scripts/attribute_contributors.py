"""Utilities -> one attribution per contributor."""

from diffusion_credit.credit.attribution import credit, estimate, write_attribution
from diffusion_credit.credit.utilities import read_utilities
from diffusion_credit.subsets.design import top_count
from job import job

with job(snakemake):
    params = snakemake.params
    game = read_utilities(snakemake.input.utilities, snakemake.input.cheap)
    found, top = estimate(game, params.options), top_count(params.share, game.n)
    result = credit(game.contributors, game.total, found, params.higher_is_better, top, game.transform)
    write_attribution(snakemake.output[0], result)
