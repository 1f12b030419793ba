"""Checkpoints -> a folder of generated images each."""

from pathlib import Path

from job import counted, job, progress

with job(snakemake, uses="networks") as log:  # imports that take seconds come after its look for the device
    from diffusion_credit.base.collection import entries
    from diffusion_credit.data.index import Index
    from diffusion_credit.models.generation import generate
    from diffusion_credit.models.weights import by_name

    models = Path(snakemake.input.models)
    # one model that is told contributors, instead of one for each folder
    contributors = len(Index(snakemake.input.index).contributors) if snakemake.input.get("index") else 0
    found = entries(models)
    made = generate(
        models,
        next(map(Path, snakemake.input.prompts), None),
        by_name(snakemake.input.weights),
        Path(snakemake.output[0]).parent,
        {**snakemake.params.options, "device": snakemake.params.device, "code": snakemake.params.code},
        progress(log, "image", contributors or len(found)),
        contributors,
        names=next(map(Path, snakemake.input.get("names", [])), None),
    )
    folders = contributors + 1 if contributors else len(found)  # one more for the untrained network
    log.info("%s: %s", snakemake.output[0], counted(made, folders, "folder of images", "folders of images"))
