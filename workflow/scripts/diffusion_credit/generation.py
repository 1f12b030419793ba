"""A folder of generated images for each model of a collection."""

import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch

from diffusion_credit.diffusion import sample
from diffusion_credit.files import announce, versions, write_json
from diffusion_credit.images import ZIP, write_zip
from diffusion_credit.inputs import read_conditions
from diffusion_credit.latents import Autoencoder, identity
from diffusion_credit.members import SECONDS, entries, fill
from diffusion_credit.models import load_model
from diffusion_credit.plugins import module_of
from diffusion_credit.weights import digests_of


def generate(
    models: Path,
    encoded: Path | None,
    weights: dict[str, Path],
    collection: Path,
    options: dict[str, Any],
    progress: Callable[[str, int, int], None],
) -> int:
    """Generate images from every model that the manifest `models` lists; return how many folders were missing.

    encoded: the folder with the conditions that the networks were trained with, or None. weights: name ->
    manifest of what is pretrained. options: `generation` (images, solver, steps, guidance, batch_size, precision),
    `seed` of the starting noise, `device`, `code`.
    """
    found = entries(models)
    device = options["device"]
    common = {**options, "weights": digests_of(weights), "versions": versions("torch", "diffusers", "numpy", "pillow")}
    wanted = {name: {**common, "model": digest} for name, (_, digest) in found.items()}
    conditions = cache(lambda: read_conditions(encoded, device))  # only where an entry is missing

    @cache
    def decode(autoencoder: str, scale: float) -> Callable[[torch.Tensor], torch.Tensor]:
        return Autoencoder(weights[autoencoder], scale, device).decode

    def make(name: str, folder: Path, _: Path) -> None:
        started = time.monotonic()
        model, config = load_model(found[name][0], device, weights)
        architecture, latents = config["architecture"], config["latents"]
        network, guidance = module_of("networks", architecture["kind"]), options["generation"]["guidance"]
        pixels = sample(
            network.denoiser(model.eval(), conditions(), guidance),
            decode(**latents) if latents else identity,
            config["diffusion"],
            options["generation"],
            (architecture["out_channels"], *architecture["sample_size"]),
            options["seed"],
            device,
            partial(progress, name),
        )
        write_zip(folder / ZIP, pixels)
        write_json(folder / SECONDS, time.monotonic() - started)
        announce(folder, [ZIP], provenance=wanted[name])

    return fill(collection, wanted, make)
