"""Captions, prompts and names -> what a model is told of each image and its contributor: embeddings of texts."""

from pathlib import Path

from job import job

with job(snakemake) as log:  # imports that take seconds come after its look for the device
    from diffusion_credit.base.files import versions
    from diffusion_credit.base.plugins import packages_of
    from diffusion_credit.base.tables import read_csv
    from diffusion_credit.data.index import Index
    from diffusion_credit.models.prompts import PROMPTS, write_told
    from diffusion_credit.models.texts import Encoder
    from diffusion_credit.models.weights import by_name, digests_of

    model, device = snakemake.params.options["model"], snakemake.params.device
    weights, index = by_name(snakemake.input.weights), Index(snakemake.input.index)
    height, width, _ = index.shape
    _, rows = read_csv(Path(snakemake.input.prompts).with_name(PROMPTS))
    write_told(
        index.captions or [model["prompt"]] * len(index.owner),
        index.owner,
        index.contributors,
        [prompt for _, prompt in rows],
        Encoder(model, weights, device),
        (height, width),
        Path(snakemake.output[0]).parent,
        model=model,
        device=device,
        code=snakemake.params.code,
        weights=digests_of(weights),
        versions=versions("torch", "diffusers") | packages_of("networks", model["kind"]),
    )
    log.info("%d contributors, each named with %d prompts", len(index.contributors), len({p for _, p in rows}))
