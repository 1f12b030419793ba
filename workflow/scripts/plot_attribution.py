"""Attribution CSV -> a bar a contributor."""

from diffusion_credit import figures
from diffusion_credit.attribution import read_attribution
from job import job

with job(snakemake):
    w = snakemake.wildcards
    better = "higher" if snakemake.params.higher_is_better else "lower"
    bars = figures.attribution_bars(read_attribution(snakemake.input[0]), f"{w.property} ({w.estimator})", better)
    figures.save(bars, snakemake.output[0])
