"""Attribution CSV -> a bar a contributor."""

from diffusion_credit.base.scale import named
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.report import figures
from job import job

with job(snakemake):
    w = snakemake.wildcards
    result = read_attribution(snakemake.input[0])
    title = f"{named(w.property, result.transform[0])} ({w.method})"
    bars = figures.attribution_bars(result, title, snakemake.params.higher_is_better)
    figures.save(bars, snakemake.output[0])
