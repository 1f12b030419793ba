"""Index -> one aligned batch of a list of subsets, with the training seed of each row."""

from pathlib import Path

from diffusion_credit.base.tables import write_subsets
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.data.index import Index
from diffusion_credit.subsets import design
from diffusion_credit.subsets.frame import frame_of
from diffusion_credit.subsets.held_out import held_out_size, reserve
from diffusion_credit.subsets.history import History
from job import job

with job(snakemake):
    names, seed = Index(snakemake.input.index).contributors, snakemake.params.seed
    options, start, stop = snakemake.params.options, snakemake.params.start, snakemake.params.stop
    ranked_by = snakemake.input.ranked_by
    if "alphas" in options:
        subsets = -(-stop // options["replicates"]) if options["list"] == "held_out" else 0
        history = History.of(names, options["changes"])
        sizes, reserved = reserve(history, options["alphas"], subsets, seed)
        avoided = history.avoided(reserved, sizes.values())
    match options["list"]:
        case "everyone":
            table = design.everyone(names, seed)
        case "sampled":
            table = design.sampled(names, options["kind"], stop, frame_of(names, seed, avoided, options))
        case "anchors":
            table = design.anchors(names, seed, options["replicates"])
        case "held_out":
            size = sizes[options["alpha"]]
            table = design.held_out(history, seed, size, subsets, options["replicates"], reserved)
        case "tuning":
            size = held_out_size(options["alpha"], len(names))
            table = design.tuning(names, seed, size, stop, avoided)
        case "counterfactual":
            (order,) = (read_attribution(path).order for path in ranked_by)
            table = design.counterfactual(names, seed, order, options["share"], options["replicates"])
        case "without_best":
            from diffusion_credit.local.regeneration import best_removed

            scores = next(map(Path, ranked_by), None)
            members = best_removed(scores, len(names), seed, options["images"], options["removed"])
            table = design.without_images(names, seed, members)
        case "without_top":
            files = dict(zip(options["methods"], ranked_by, strict=True))
            orders = {method: read_attribution(path).order for method, path in files.items()}
            table = design.without_tops(names, seed, orders, options["share"], options["replicates"])
    write_subsets(snakemake.output[0], table.rows(range(start, stop)))
