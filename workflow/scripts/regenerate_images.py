"""Models without the best training images of one generated image each -> that image again, from the same noise."""

from pathlib import Path

from job import job, progress

with job(snakemake, uses="networks") as log:  # imports that take seconds come after its look for the device
    from diffusion_credit.base.collection import entries
    from diffusion_credit.local.regeneration import image_of
    from diffusion_credit.models.generation import generate
    from diffusion_credit.models.weights import by_name

    options = snakemake.params.options
    models = Path(snakemake.input.models)
    made = generate(
        models,
        next(map(Path, snakemake.input.prompts), None),
        by_name(snakemake.input.weights),
        Path(snakemake.output[0]).parent,
        {
            **options,
            "generation": {**options["generation"], "images": 1},
            "device": snakemake.params.device,
            "code": snakemake.params.code,
        },
        progress(log, "image", len(entries(models))),
        only=image_of,
    )
    log.info("%s: %d images made", snakemake.output[0], made)
