"""Attribution CSV -> a bar a contributor."""

from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.report import figures
from job import job

with job(snakemake):
    w = snakemake.wildcards
    title = f"{w.property} ({w.method})"
    bars = figures.attribution_bars(read_attribution(snakemake.input[0]), title, snakemake.params.higher_is_better)
    figures.save(bars, snakemake.output[0])
