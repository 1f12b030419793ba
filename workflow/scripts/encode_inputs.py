"""Pixels and captions -> latents and embeddings of texts."""

from pathlib import Path

from job import job

with job(snakemake) as log:  # imports that take seconds come after its look for the device
    from diffusion_credit.base.files import digest_of, versions
    from diffusion_credit.base.plugins import packages_of
    from diffusion_credit.data.images import open_pixels
    from diffusion_credit.data.index import Index
    from diffusion_credit.models.inputs import encode
    from diffusion_credit.models.weights import by_name, digests_of

    weights, index = by_name(snakemake.input.weights), Index(snakemake.input.index)
    shape = encode(
        open_pixels(snakemake.input.pixels),
        {
            **snakemake.params.options,
            "device": snakemake.params.device,
            "code": snakemake.params.code,
            "pixels": index.pixels_digest,
            "captions": digest_of(index.captions),
            "weights": digests_of(weights),
            "versions": versions("torch", "diffusers")
            | packages_of("networks", snakemake.params.options["model"]["kind"]),
        },
        weights,
        Path(snakemake.output[0]).parent,
        index.captions,
    )
    log.info("latents of shape %s", shape)
