"""Attributions of all methods, what they cost, and retrained held-out subsets -> league.csv, cost.csv, a figure."""

from diffusion_credit.base.scale import named
from diffusion_credit.base.tables import concatenate, read_subsets, write_csv
from diffusion_credit.credit.attribution import estimate
from diffusion_credit.data.index import Index
from diffusion_credit.evaluation.lds import predictions
from diffusion_credit.evaluation.league import COST_HEADER, HEADER, curve, rows
from diffusion_credit.evaluation.methods import read_game, read_method
from diffusion_credit.report import figures
from diffusion_credit.subsets.design import assert_disjoint
from job import job

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    tables = dict(zip(params.alphas, [read_subsets(path, valued=True) for path in inputs.held_out], strict=True))
    for path in [*inputs.utilities, *inputs.tuning]:
        for table in tables.values():
            assert_disjoint(read_subsets(path, valued=True).members, table.members)
    removed = concatenate([read_subsets(path, valued=True) for path in inputs.removed])
    pairs = zip(params.methods, inputs.attributions, strict=True)
    methods = [read_method(about, path, removed, params.main) for about, path in pairs]
    anchors, index = read_subsets(inputs.anchors, valued=True), Index(inputs.index)
    everyone = anchors.value[anchors.members.all(axis=1)]
    expected, better = predictions(params.predicting), params.higher_is_better
    found = rows(tables, methods, params.main, everyone, index.counts, better, expected, params.seed)
    write_csv(snakemake.output.table, HEADER, found)
    costs = []
    for method, about in zip(methods, params.methods, strict=True):
        game, order = read_game(about)
        costs += curve(method, game, order, estimate, about["options"], tables, params.seed)
    write_csv(snakemake.output.costs, COST_HEADER, costs)
    alpha = params.alphas[len(params.alphas) // 2]
    title = f"{named(snakemake.wildcards.property, anchors.transform)}: all methods on the same held-out models"
    figures.save(figures.league(found, costs, alpha).side_by_side(title), snakemake.output.figure)
