"""A folder of generated images for each model of a collection."""

import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from diffusion_credit.base.collection import EMPTY, announce_entry, contributor_entry, entries, fill
from diffusion_credit.base.files import digest_of_file, versions
from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.seeds import named_seed
from diffusion_credit.data.images import ZIP, write_zip
from diffusion_credit.models.checkpoints import load_model, reinitialise
from diffusion_credit.models.diffusion import sample
from diffusion_credit.models.latents import Autoencoder, identity
from diffusion_credit.models.prompts import read_named_prompts, read_prompts
from diffusion_credit.models.weights import digests_of


def generate(
    models: Path,
    prompts: Path | None,
    weights: dict[str, Path],
    collection: Path,
    options: dict[str, Any],
    progress: Callable[[str, int, int], None],
    contributors: int = 0,
    only: Callable[[str], int] | None = None,
    names: Path | None = None,
) -> int:
    """Generate images from every model that the manifest `models` lists; return how many folders were missing.

    contributors: where the one model is told contributors, their number: a folder for each, and one named EMPTY of the
    network's random initialisation. names: the manifest of the prompts that name them, where they are told so. only: of
    a model's name the number of the one image that it has to draw.

    prompts: the manifest of what `prompts.write_prompts` wrote, for networks with a prompt. weights: name -> manifest
    of what is pretrained. options: `generation` (images, solver, steps, guidance, batch_size, precision), `seed` of the
    starting noise, `device`, `code`.
    """
    found = entries(models)
    told: dict[str, int | None] = dict.fromkeys(found)
    if contributors:
        ((folder, digest),) = found.values()
        told = {**{contributor_entry(number): number + 1 for number in range(contributors)}, EMPTY: 0}
        found = dict.fromkeys(told, (folder, digest))
    device = options["device"]
    common = {
        **options,
        **{key: digest_of_file(file) for key, file in (("prompts", prompts), ("names", names)) if file},
        "weights": digests_of(weights),
        "versions": versions("torch", "diffusers", "numpy", "pillow"),
    }
    wanted = {name: {**common, "model": digest, "contributor": told[name]} for name, (_, digest) in found.items()}
    earlier: tuple[nn.Module, dict[str, Any]] | None = None  # the network before, whose base the next one takes
    told_of = cache(lambda: read_prompts(prompts))  # only where an entry is missing

    @cache
    def decode(autoencoder: str, scale: float) -> Callable[[torch.Tensor], torch.Tensor]:
        return Autoencoder(weights[autoencoder], scale, device).decode

    def make(name: str, folder: Path, _: Path) -> None:
        started = time.monotonic()
        nonlocal earlier
        model, config = earlier = load_model(found[name][0], device, weights, earlier=earlier)
        architecture, latents = config["architecture"], config["latents"]
        network, asked = module_of("networks", architecture["kind"]), options["generation"]
        if contributors and name == EMPTY:
            reinitialise(model, architecture, named_seed(options["seed"], "untrained"))
        conditions, labels = told_of()
        if (contributor := told[name]) is not None:
            labels = torch.full((asked["images"],), contributor, device=device)
            if names:
                conditions, rows = read_named_prompts(names, asked["images"])
                labels = rows[contributor - 1].to(device)  # the last ones name nobody
        pixels = sample(
            network.denoiser(model.eval(), architecture, conditions, asked["guidance"]),
            decode(**latents) if latents else identity,
            config["diffusion"],
            asked,
            (architecture["out_channels"], *architecture["sample_size"]),
            options["seed"],
            device,
            partial(progress, name),
            0 if only is None else only(name),
            labels,
            network.levels(architecture, weights, asked["steps"]),
        )
        write_zip(folder / ZIP, pixels)
        announce_entry(folder, [ZIP], wanted[name], started)

    return fill(collection, wanted, make)
