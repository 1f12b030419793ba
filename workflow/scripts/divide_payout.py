"""An attribution -> payout.csv: a stated amount divided by it."""

from diffusion_credit.base.tables import write_csv
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.report.payout import HEADER, rows
from job import job

with job(snakemake):
    result = read_attribution(snakemake.input[0])
    write_csv(snakemake.output[0], HEADER, rows(result, snakemake.params.options, snakemake.params.higher_is_better))
