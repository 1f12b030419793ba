"""Prompts -> which generated image has which, and their embeddings."""

from pathlib import Path

from job import job

with job(snakemake) as log:  # imports that take seconds come after its look for the device
    from diffusion_credit.base.files import versions
    from diffusion_credit.base.plugins import packages_of
    from diffusion_credit.data.index import Index
    from diffusion_credit.models.prompts import prompts_of, write_prompts
    from diffusion_credit.models.texts import Encoder
    from diffusion_credit.models.weights import by_name, digests_of

    options, device = snakemake.params.options, snakemake.params.device
    weights, model = by_name(snakemake.input.weights), options["model"]
    prompts = prompts_of(options, next(map(Path, snakemake.input.file), None))
    height, width, _ = Index(snakemake.input.index).shape
    write_prompts(
        prompts,
        Encoder(model, weights, device),
        (height, width),
        options["generation"]["images"],
        options["seed"],
        Path(snakemake.output[0]).parent,
        model=model,
        device=device,
        code=snakemake.params.code,
        weights=digests_of(weights),
        versions=versions("torch", "diffusers") | packages_of("networks", model["kind"]),
    )
    log.info("%d prompts for %d images", len(prompts), options["generation"]["images"])
