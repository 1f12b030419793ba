"""Attributions and retrained held-out subsets -> lds.csv and its figure."""

from diffusion_credit.base.scale import named
from diffusion_credit.base.tables import read_subsets, write_csv
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.data.index import Index
from diffusion_credit.evaluation.lds import HEADER, predictions, references, scores
from diffusion_credit.evaluation.resampling import by_subset
from diffusion_credit.report import figures
from diffusion_credit.subsets.design import assert_disjoint
from job import job

with job(snakemake):
    alphas = snakemake.params.alphas
    tables = dict(zip(alphas, [read_subsets(path, valued=True) for path in snakemake.input.held_out], strict=True))
    for path in snakemake.input.utilities:
        design = read_subsets(path, valued=True)
        for table in tables.values():
            assert_disjoint(design.members, table.members)
    names = snakemake.params.estimators
    predictors = {
        name: read_attribution(path).value for name, path in zip(names, snakemake.input.attributions, strict=True)
    }
    counts = Index(snakemake.input.index).counts
    alone = references(len(counts), counts, snakemake.params.higher_is_better)
    rows = scores(tables, predictors | predictions(snakemake.params.predicting) | alone, snakemake.params.seed)
    write_csv(snakemake.output.table, HEADER, rows)
    data = {alpha: by_subset(table) for alpha, table in tables.items()}
    figure = figures.scatter(
        [members @ predictors[names[0]] for members, _ in data.values()],
        [values.mean(axis=1) for _, values in data.values()],
        [f"alpha {alpha}" for alpha in data],
        f"sum of the contributors' values ({names[0]})",
        "retrained, mean over seeds",
        f"{named(snakemake.wildcards.property, tables[alphas[0]].transform)}: held-out subsets",
    )
    figures.save(figure, snakemake.output.figure)
