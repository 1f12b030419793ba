"""What was measured of the subsets so far -> the next batch, chosen by it, with the training seed of each row."""

from diffusion_credit.base.tables import write_subsets
from diffusion_credit.credit.next_batch import chosen
from diffusion_credit.data.index import Index
from diffusion_credit.measuring.values import utilities_of_each
from diffusion_credit.subsets import design
from diffusion_credit.subsets.frame import frame_of
from diffusion_credit.subsets.held_out import reserve
from diffusion_credit.subsets.history import History
from job import job

with job(snakemake):
    params, given = snakemake.params, snakemake.input
    names, options = Index(given.index).contributors, params.options
    history = History.of(names, options["changes"])
    sizes, reserved = reserve(history, options["alphas"], 0, params.seed)
    frame = frame_of(names, params.seed, history.avoided(reserved, sizes.values()), options)
    tables = utilities_of_each(given.designs, given.properties, params.transforms)
    members = chosen(list(tables.values()), frame, params.stop - params.start)
    table = design.listed(names, members, frame, options["kind"])
    write_subsets(snakemake.output[0], table.rows(range(params.start, params.stop)))
