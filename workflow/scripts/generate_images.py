"""Checkpoints -> a folder of generated images each."""

from pathlib import Path

from job import job, progress

with job(snakemake) as log:  # imports that take seconds come after its look for the device
    from diffusion_credit.generation import generate
    from diffusion_credit.members import entries
    from diffusion_credit.weights import digests_of, folders_of

    models, weights = Path(snakemake.input.models), snakemake.input.get("weights", [])
    found = entries(models)
    made = generate(
        models,
        Path(snakemake.input.encoded).parent if snakemake.input.get("encoded") else None,
        folders_of(weights),
        Path(snakemake.output[0]).parent,
        {
            **snakemake.params.options,
            "device": snakemake.params.device,
            "code": snakemake.params.code,
            "weights": digests_of(weights),
        },
        progress(log, "image", len(found)),
    )
    log.info("%s: %d folders of images made, %d were there", snakemake.output[0], made, len(found) - made)
