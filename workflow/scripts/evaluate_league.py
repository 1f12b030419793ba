"""Attributions of all methods, what they cost, and retrained held-out subsets -> league.csv, cost.csv, a figure."""

from pathlib import Path

from diffusion_credit.base.files import read_json
from diffusion_credit.base.tables import concatenate, read_subsets, write_csv
from diffusion_credit.credit.attribution import estimate, read_attribution
from diffusion_credit.credit.regression import NO_DIFFERENCES
from diffusion_credit.credit.utilities import split
from diffusion_credit.data.index import Index
from diffusion_credit.evaluation.league import COST_HEADER, HEADER, Method, curve, rows
from diffusion_credit.report import figures
from diffusion_credit.subsets.design import assert_disjoint
from job import job


def method_of(about, attribution, removed):
    """A method, its attribution and its counterfactual."""
    name = about["name"]
    chosen = [subset == ("without_top" if name == params.main else name) for subset in removed.subset]
    credited = read_attribution(attribution)
    seconds = read_json(about["about"])["seconds"] if about["about"] else 0.0
    paths = [[Path(path) for path in about[key]] for key in ("fixed", "each")]
    values = removed.value[chosen] if any(chosen) else None
    note = NO_DIFFERENCES if NO_DIFFERENCES in credited.note[0] else ""
    return Method(name, credited.value, credited.value_of[0], *paths, seconds, values, note)


with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    tables = dict(zip(params.alphas, [read_subsets(path, valued=True) for path in inputs.held_out], strict=True))
    for path in [*inputs.utilities, *inputs.tuning]:
        for table in tables.values():
            assert_disjoint(read_subsets(path, valued=True).members, table.members)
    removed = concatenate([read_subsets(path, valued=True) for path in inputs.removed])
    pairs = zip(params.methods, inputs.attributions, strict=True)
    methods = [method_of(about, path, removed) for about, path in pairs]
    anchors, index = read_subsets(inputs.anchors, valued=True), Index(inputs.index)
    everyone = anchors.value[anchors.members.all(axis=1)]
    found = rows(tables, methods, params.main, everyone, index.counts, params.higher_is_better, params.seed)
    write_csv(snakemake.output.table, HEADER, found)
    costs = []
    for method, about in zip(methods, params.methods, strict=True):
        game, order = None, []
        if about["utilities"]:
            table = concatenate([read_subsets(path, valued=True) for path in about["utilities"]])
            proper = table.rows(~(table.members.all(axis=1) | ~table.members.any(axis=1)))
            game, order = split(table), proper.names
        costs += curve(method, game, order, estimate, about["options"], tables, params.seed)
    write_csv(snakemake.output.costs, COST_HEADER, costs)
    alpha = params.alphas[len(params.alphas) // 2]
    title = f"{snakemake.wildcards.property}: all methods on the same held-out models"
    figures.save(figures.league(found, costs, alpha, title), snakemake.output.figure)
