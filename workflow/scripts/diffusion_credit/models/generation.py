"""A folder of generated images for each model of a collection."""

import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch

from diffusion_credit.base.collection import EMPTY, announce_entry, contributor_entry, entries, fill
from diffusion_credit.base.files import versions
from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.seeds import named_seed
from diffusion_credit.data.images import ZIP, write_zip
from diffusion_credit.models.checkpoints import load_model, reinitialise
from diffusion_credit.models.diffusion import sample
from diffusion_credit.models.inputs import read_conditions
from diffusion_credit.models.latents import Autoencoder, identity
from diffusion_credit.models.weights import digests_of


def generate(
    models: Path,
    encoded: Path | None,
    weights: dict[str, Path],
    collection: Path,
    options: dict[str, Any],
    progress: Callable[[str, int, int], None],
    contributors: int = 0,
    only: Callable[[str], int] | None = None,
) -> int:
    """Generate images from every model that the manifest `models` lists; return how many folders were missing.

    contributors: where the one model is told contributors, their number: a folder for each, and one named EMPTY of the
    network's random initialisation. only: of a model's name the number of the one image that it has to draw.

    encoded: the manifest of what `inputs.encode` wrote, with the conditions that the networks were trained with, or
    None. weights: name -> manifest of what is pretrained. options: `generation` (images, solver, steps, guidance,
    batch_size, precision), `seed` of the starting noise, `device`, `code`.
    """
    found = entries(models)
    told: dict[str, int | None] = dict.fromkeys(found)
    if contributors:
        ((folder, digest),) = found.values()
        told = {**{contributor_entry(number): number for number in range(contributors)}, EMPTY: 0}
        found = dict.fromkeys(told, (folder, digest))
    device = options["device"]
    common = {**options, "weights": digests_of(weights), "versions": versions("torch", "diffusers", "numpy", "pillow")}
    wanted = {name: {**common, "model": digest, "contributor": told[name]} for name, (_, digest) in found.items()}
    conditions = cache(lambda: read_conditions(encoded, device))  # only where an entry is missing

    @cache
    def decode(autoencoder: str, scale: float) -> Callable[[torch.Tensor], torch.Tensor]:
        return Autoencoder(weights[autoencoder], scale, device).decode

    def make(name: str, folder: Path, _: Path) -> None:
        started = time.monotonic()
        model, config = load_model(found[name][0], device, weights)
        architecture, latents = config["architecture"], config["latents"]
        network, guidance = module_of("networks", architecture["kind"]), options["generation"]["guidance"]
        if contributors and name == EMPTY:
            reinitialise(model, architecture, named_seed(options["seed"], "untrained"))
        predict = network.denoiser(model.eval(), conditions(), guidance)
        label = told[name]
        pixels = sample(
            predict if label is None else partial(_told, predict, label),
            decode(**latents) if latents else identity,
            config["diffusion"],
            options["generation"],
            (architecture["out_channels"], *architecture["sample_size"]),
            options["seed"],
            device,
            partial(progress, name),
            0 if only is None else only(name),
        )
        write_zip(folder / ZIP, pixels)
        announce_entry(folder, [ZIP], wanted[name], started)

    return fill(collection, wanted, make)


def _told(predict: Callable[..., torch.Tensor], contributor: int, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return predict(x, t, labels=torch.full((len(x),), contributor, device=x.device))
