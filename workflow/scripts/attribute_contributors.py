"""Utilities -> one attribution per contributor."""

from diffusion_credit.attribution import credit, write_attribution
from diffusion_credit.design import top_count
from diffusion_credit.plugins import module_of
from diffusion_credit.tables import read_subsets
from diffusion_credit.utilities import split
from job import job

with job(snakemake):
    options, params = snakemake.params.options, snakemake.params
    game = split(read_subsets(snakemake.input[0], valued=True))
    found = module_of("estimators", options["kind"]).estimate(game, options)
    result = credit(game, found, params.higher_is_better, top_count(params.share, game.n))
    write_attribution(snakemake.output[0], result)
