"""Names, and captions or prompts -> what a model is told of each image and its contributor: embeddings of texts."""

from pathlib import Path

from job import job

with job(snakemake) as log:  # imports that take seconds come after its look for the device
    from diffusion_credit.base.files import versions
    from diffusion_credit.base.plugins import packages_of
    from diffusion_credit.base.tables import read_csv
    from diffusion_credit.data.index import Index
    from diffusion_credit.models.prompts import PROMPTS, write_named_prompts, write_names
    from diffusion_credit.models.texts import Encoder
    from diffusion_credit.models.weights import by_name, digests_of

    model, device = snakemake.params.options["model"], snakemake.params.device
    weights, index = by_name(snakemake.input.weights), Index(snakemake.input.index)
    height, width, _ = index.shape
    encoder, folder = Encoder(model, weights, device), Path(snakemake.output[0]).parent
    about = {
        "model": model,
        "device": device,
        "code": snakemake.params.code,
        "weights": digests_of(weights),
        "versions": versions("torch", "diffusers") | packages_of("networks", model["kind"]),
    }
    if prompts := snakemake.input.get("prompts"):
        _, rows = read_csv(Path(prompts).with_name(PROMPTS))
        drawn = [prompt for _, prompt in rows]
        write_named_prompts(drawn, index.contributors, encoder, (height, width), folder, **about)
    else:
        captions = index.captions or [model["prompt"]] * len(index.owner)
        write_names(captions, index.owner, index.contributors, encoder, (height, width), folder, **about)
    log.info("%d contributors are named", len(index.contributors))
