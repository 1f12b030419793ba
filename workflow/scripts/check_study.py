"""Index -> the checks of the config that need the number of contributors, before anything is trained."""

from diffusion_credit.attribution import check_contributors
from diffusion_credit.design import held_out_size, held_out_sizes, sampled, top_count, tuning
from diffusion_credit.draws import game_of
from diffusion_credit.files import write_json
from diffusion_credit.index import Index
from diffusion_credit.plugins import module_of
from diffusion_credit.reserved import Reserved
from job import job

CHECKED = 2000  # subsets of the design

with job(snakemake):
    index = Index(snakemake.input.index)
    n = len(index.contributors)
    if model := snakemake.params.model:  # that of latents is known when they are made
        module_of("networks", model["kind"]).check_size(model, *index.shape[:2])
    sizes = held_out_sizes(snakemake.params.alphas, snakemake.params.subsets, n)
    for kind in snakemake.params.estimators:
        check_contributors(kind, n)
    top = top_count(snakemake.params.share, n)
    design, seed = snakemake.params.design, snakemake.params.seed
    reserved = Reserved(n, sizes.values(), seed)
    for kind in (design, *snakemake.params.games.values()):
        game = game_of(index.contributors, seed, reserved, kind)
        sampled(index.contributors, kind["kind"], CHECKED, game)  # can it do without the held-out subsets?
    if options := snakemake.params.tuning:
        size = held_out_size(options["alpha"], n)
        tuning(index.contributors, seed, size, options["subsets"], reserved)
    write_json(snakemake.output[0], {"contributors": n, "held_out_sizes": list(sizes.values()), "top": top})
