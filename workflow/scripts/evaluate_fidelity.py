"""Held-out subsets in a cheap regime and retrained -> fidelity.csv and its figure."""

from diffusion_credit.base.scale import named
from diffusion_credit.base.tables import read_subsets, write_csv
from diffusion_credit.evaluation.fidelity import HEADER, correlations, of_values
from diffusion_credit.evaluation.resampling import by_subset
from diffusion_credit.report import figures
from job import job

with job(snakemake):
    alphas, regimes = snakemake.params.alphas, snakemake.params.regimes
    tables = [read_subsets(path, valued=True) for path in snakemake.input.tables]
    truth = dict(zip(alphas, tables[: len(alphas)], strict=True))
    cheap = {
        regime: dict(zip(alphas, tables[(i + 1) * len(alphas) :][: len(alphas)], strict=True))
        for i, regime in enumerate(regimes)
    }
    seed, given = snakemake.params.seed, snakemake.input
    rows = correlations(truth, cheap, seed)
    if given.sampled:
        rows += of_values(given.sampled, [*given.tables[: len(alphas)], given.anchors], snakemake.params.design, seed)
    write_csv(snakemake.output.table, HEADER, rows)
    pairs = [(regime, alpha) for regime in regimes for alpha in alphas]
    figure = figures.scatter(
        [by_subset(truth[alpha])[1].mean(axis=1) for _, alpha in pairs],
        [by_subset(cheap[regime][alpha])[1].mean(axis=1) for regime, alpha in pairs],
        [f"{regime}, alpha {alpha}" for regime, alpha in pairs],
        "retrained, mean over seeds",
        "cheap regime, mean over seeds",
        f"{named(snakemake.wildcards.property, tables[0].transform)}: held-out subsets",
    )
    figures.save(figure, snakemake.output.figure)
