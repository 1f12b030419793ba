"""Design batch -> one checkpoint a subset, in the regime that the wildcard names."""

from pathlib import Path

from job import counted, job, progress

with job(snakemake, uses="networks") as log:  # imports that take seconds come after its look for the device
    from diffusion_credit.base.collection import only_entry
    from diffusion_credit.base.tables import read_subsets
    from diffusion_credit.data.images import open_pixels
    from diffusion_credit.data.index import Index
    from diffusion_credit.models.inputs import read_inputs
    from diffusion_credit.models.prompts import with_names
    from diffusion_credit.models.subset_models import train_subsets
    from diffusion_credit.models.weights import by_name

    table, index, device = read_subsets(snakemake.input.design), Index(snakemake.input.index), snakemake.params.device
    encoded = next(map(Path, snakemake.input.encoded), None)
    inputs = read_inputs(index, open_pixels(snakemake.input.pixels), encoded, device)
    made = train_subsets(
        table,
        index,
        with_names(inputs, next(map(Path, snakemake.input.names), None)),
        next(map(only_entry, snakemake.input.start), None),
        next(map(only_entry, snakemake.input.alike), None),
        by_name(snakemake.input.weights),
        Path(snakemake.output[0]).parent,
        {**snakemake.params.options, "device": device, "code": snakemake.params.code},
        progress(log, "step", len(table)),
    )
    log.info("%s: %s", snakemake.output[0], counted(made, len(table), "model trained", "models trained"))
