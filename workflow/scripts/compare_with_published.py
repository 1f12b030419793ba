"""The study's tables of results and a file of published numbers -> a table for each of the paper's, side by side."""

from typing import Any

from diffusion_credit.base.tables import read_subsets, write_csv
from diffusion_credit.baselines.tuning import chosen_estimate
from diffusion_credit.baselines.variants import read_variants
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.evaluation.published import HEADER, Row, beside, lds, looked_up, read_published
from job import job

with job(snakemake):
    params, tables = snakemake.params, snakemake.params.tables
    known = params.estimators, params.baselines, params.regimes, list(tables)
    rows = read_published(snakemake.input.published, *known)
    held_out = {
        name: {alpha: read_subsets(path, valued=True) for alpha, path in of["held_out"].items()}
        for name, of in tables.items()
    }
    tuning = {name: read_subsets(*of["tuning"], valued=True) for name, of in tables.items() if of["tuning"]}

    def of_lds(row: Row) -> list[Any]:
        of = tables[row.property]
        if row.part:
            every = read_variants(of["baselines"][row.method])
            variants = {name: values for name, values in every.items() if name.startswith(row.part)}
            found = chosen_estimate(variants, tuning[row.property], params.higher_is_better[row.property])
            values, made_of = found.value, found.fit
        else:
            credited = read_attribution(of["attributions"][row.method])
            values, made_of = credited.value, credited.value_of[0]
        return lds(row, held_out[row.property], values, made_of, params.seed)

    def of_removal(row: Row) -> list[Any]:
        columns = ("without_top_percent", "without_top_low", "without_top_high")
        # the league's note is of the LDS
        return looked_up(tables[row.property]["league"], {"method": row.method}, columns, 1.0, note="")

    def of_fidelity(row: Row) -> list[Any]:
        wanted = {"regime": row.method, "alpha": row.alpha, "measure": "pearson"}
        return looked_up(tables[row.property]["fidelity"], wanted, ("estimate", "low", "high"), 1.0)

    def of_runtime(row: Row) -> list[Any]:
        wanted = {"regime": row.method, "stage": row.part}
        return looked_up(tables[row.property]["runtime"], wanted, ("seconds_per_model", "", ""), 1 / 60)

    ours = {"lds": of_lds, "removal": of_removal, "fidelity": of_fidelity, "runtime": of_runtime}
    for table, lines in beside(rows, ours).items():
        write_csv(snakemake.output[table], HEADER, lines)
