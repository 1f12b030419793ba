"""An attribution -> payout.csv: a stated amount divided by it."""

from diffusion_credit.attribution import read_attribution
from diffusion_credit.report.payout import HEADER, rows
from diffusion_credit.tables import write_csv
from job import job

with job(snakemake):
    result = read_attribution(snakemake.input[0])
    write_csv(snakemake.output[0], HEADER, rows(result, snakemake.params.options, snakemake.params.higher_is_better))
