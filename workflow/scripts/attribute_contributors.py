"""Utilities -> one attribution per contributor."""

from diffusion_credit.attribution import credit, estimate, write_attribution
from diffusion_credit.design import top_count
from diffusion_credit.tables import read_subsets
from diffusion_credit.utilities import split
from job import job

with job(snakemake):
    params = snakemake.params
    game = split(read_subsets(snakemake.input[0], valued=True))
    result = credit(game, estimate(game, params.options), params.higher_is_better, top_count(params.share, game.n))
    write_attribution(snakemake.output[0], result)
