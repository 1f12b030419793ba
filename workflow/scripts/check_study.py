"""Index -> the checks of the config that need the number of contributors, before anything is trained."""

from diffusion_credit.design import held_out_sizes, top_count
from diffusion_credit.files import write_json
from diffusion_credit.index import Index, check_size
from job import job

with job(snakemake):
    index = Index(snakemake.input.index)
    n = len(index.contributors)
    check_size(index.shape, snakemake.params.levels)
    sizes = held_out_sizes(snakemake.params.alphas, snakemake.params.subsets, n)
    top = top_count(snakemake.params.share, n)
    write_json(snakemake.output[0], {"contributors": n, "held_out_sizes": list(sizes.values()), "top": top})
