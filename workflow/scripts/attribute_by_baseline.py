"""A baseline's variants and the tuning subsets -> its attribution, by the variant that ranks these best."""

from diffusion_credit.base.tables import read_subsets
from diffusion_credit.baselines.tuning import chosen_estimate
from diffusion_credit.baselines.variants import read_variants
from diffusion_credit.credit.attribution import credit, write_attribution
from diffusion_credit.data.index import Index
from diffusion_credit.subsets.design import top_count
from job import job

with job(snakemake) as log:
    params, names = snakemake.params, Index(snakemake.input.index).contributors
    tuning = read_subsets(*snakemake.input.tuning, valued=True)
    found = chosen_estimate(read_variants(snakemake.input.table), tuning, params.higher_is_better)
    log.info("%s, %s: %s", snakemake.wildcards.baseline, snakemake.wildcards.property, found.fit)
    result = credit(names, 0.0, found, params.higher_is_better, top_count(params.share, len(names)))
    write_attribution(snakemake.output[0], result)
