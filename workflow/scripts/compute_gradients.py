"""Models, training images and generated ones -> projected gradients of single images."""

from functools import partial
from pathlib import Path

from job import job, progress

with job(snakemake, uses="networks") as log:  # imports that take seconds come after its look for the device
    import torch

    from diffusion_credit.base.collection import entries
    from diffusion_credit.baselines.gradient_arrays import DATA, GENERATED, VALIDATION
    from diffusion_credit.baselines.gradient_features import compute, parts_of
    from diffusion_credit.data.images import open_pixels
    from diffusion_credit.data.index import Index
    from diffusion_credit.measuring.features import images_of
    from diffusion_credit.models.checkpoints import LAST, checkpoint_file
    from diffusion_credit.models.inputs import as_inputs, read_inputs
    from diffusion_credit.models.prompts import with_prompts
    from diffusion_credit.models.weights import by_name

    params, device = snakemake.params, snakemake.params.device
    index, weights = Index(snakemake.input.index), by_name(snakemake.input.weights)
    encoded = next(map(Path, snakemake.input.encoded), None)
    inputs = read_inputs(index, open_pixels(snakemake.input.pixels), encoded, device)
    inputs, prompted = with_prompts(inputs, next(map(Path, snakemake.input.prompts), None))
    chosen = params.options["gradients"]["models"]
    files = [*(map(checkpoint_file, range(params.checkpoints)) if chosen == "checkpoints" else []), LAST]
    found = [entry for manifest in snakemake.input.models for entry in entries(manifest).items()]
    everyone = [each for name, each in found if name.startswith("everyone-")]
    pairs = [(folder, file, digest) for folder, digest in everyone for file in files]
    models = {f"{number:02d}": each for number, each in enumerate(pairs)}
    ((digest, read),) = images_of(Path(snakemake.input.images)).values()
    pixels = read()[: params.generated]
    sets = {
        DATA: (inputs.digest, len(inputs.images), lambda: inputs.images, inputs.labels),
        GENERATED: (digest, len(pixels), partial(as_inputs, pixels, inputs.latents, weights, device), prompted),
    }
    if snakemake.input.get("validation"):
        ((digest, read),) = images_of(Path(snakemake.input.validation)).values()
        held_back = read()
        load = partial(as_inputs, held_back, inputs.latents, weights, device)
        # a study of single images has one text for all
        sets[VALIDATION] = digest, len(held_back), load, None if prompted is None else torch.ones(len(held_back)).long()
    made = compute(
        models,
        sets,
        inputs,
        weights,
        Path(snakemake.output[0]).parent,
        {**params.options, "device": device, "code": params.code},
        progress(log, "image", len(parts_of(models, sets, params.options["gradients"]["path"]))),
    )
    log.info("%s: %d parts made; %d models, %s", snakemake.output[0], made, len(models), torch.__version__)
