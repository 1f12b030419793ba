"""Models, and images to explain -> the loss of each of these under each model, or the bound on its likelihood."""

from functools import cache
from pathlib import Path

from job import counted, job, progress

with job(snakemake, uses="networks") as log:  # imports that take seconds come after its look for the device
    import torch

    from diffusion_credit.base.collection import entries
    from diffusion_credit.baselines.gradient_arrays import GENERATED
    from diffusion_credit.data.images import open_pixels
    from diffusion_credit.data.index import Index
    from diffusion_credit.measuring.features import images_of
    from diffusion_credit.measuring.losses import measure
    from diffusion_credit.models.inputs import read_inputs
    from diffusion_credit.models.prompts import with_prompts
    from diffusion_credit.models.weights import by_name

    index, device = Index(snakemake.input.index), snakemake.params.device
    encoded = next(map(Path, snakemake.input.encoded), None)
    inputs = read_inputs(index, open_pixels(snakemake.input.pixels), encoded, device)
    inputs, prompted = with_prompts(inputs, next(map(Path, snakemake.input.prompts), None))
    models, options = entries(snakemake.input.models), snakemake.params.options
    sets = {}
    for name, manifest in zip(snakemake.params.sets, snakemake.input.images, strict=True):
        ((digest, load),) = images_of(Path(manifest)).values()
        count = options["generated"] if name == GENERATED else None
        read = cache(lambda load=load, count=count: load()[:count])
        # a study of single images has one text for all
        labels = prompted if name == GENERATED or prompted is None else torch.ones(len(read())).long()
        sets[name] = digest, read, labels
    made = measure(
        models,
        sets,
        inputs,
        by_name(snakemake.input.weights),
        Path(snakemake.output[0]).parent,
        {**options, "device": device, "code": snakemake.params.code},
        progress(log, "image", len(models)),
    )
    log.info("%s: losses of %s", snakemake.output[0], counted(made, len(models), "model", "models"))
