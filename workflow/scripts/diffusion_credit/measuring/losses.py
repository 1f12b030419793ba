"""The loss of single images under each model of a collection, or a bound on how likely the model holds them to be.

Sources: Zheng et al., D-TRAK, arXiv 2311.00500, section 4: the training loss, averaged over timesteps and noises;
Kingma et al., arXiv 2107.00630, equation 14: the evidence lower bound (ELBO) in discrete time.
"""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn

from diffusion_credit.base.collection import announce_entry, fill
from diffusion_credit.base.files import replacing
from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.seeds import generator
from diffusion_credit.measuring.features import LOSSES
from diffusion_credit.models.checkpoints import load_model
from diffusion_credit.models.diffusion import Process
from diffusion_credit.models.inputs import Inputs, as_inputs, provenance
from diffusion_credit.models.training import loss_of_image


def measure(
    models: dict[str, tuple[Path, str]],
    sets: dict[str, tuple[str, Callable[[], np.ndarray], torch.Tensor | None]],
    inputs: Inputs,
    weights: dict[str, Path],
    collection: Path,
    options: dict[str, Any],
    progress: Callable[[str, int, int], None],
) -> int:
    """Write the losses (images,) of every set of images under every model; return how many models were missing.

    models: name -> folder of a checkpoint, digest. sets: name -> digest, what reads the images (uint8), the rows of
    their texts. inputs: for latents and texts. options: `of`, `loss` for the training loss or `bound` for the negative
    ELBO in nats, without the terms that no model changes; timesteps, their number; network, diffusion, batch_size
    (noised images at once), seed, device, code, and what else the images depend on.
    """
    device = options["device"]
    network, process = module_of("networks", options["network"]), Process(options["diffusion"], device)
    at, weights_at = _timesteps(process, options)
    common = provenance(options, inputs, weights) | {"images": {name: of[0] for name, of in sets.items()}}
    wanted = {name: {**common, "model": digest} for name, (_, digest) in models.items()}

    earlier: tuple[nn.Module, dict[str, Any]] | None = None  # the network before, whose base the next one takes

    @cache
    def images(name: str) -> torch.Tensor:
        return as_inputs(sets[name][1](), inputs.latents, weights, device).to(device)

    def make(name: str, folder: Path, _: Path) -> None:
        started = time.monotonic()
        nonlocal earlier
        model, config = earlier = load_model(models[name][0], device, weights, earlier=earlier)
        predict = network.denoiser(model.eval(), config["architecture"], inputs.conditions, guidance=1)
        count = sum(len(images(of)) for of in sets)
        found, done = {}, 0
        for of in sets:
            each, labels = [], sets[of][2]
            for number, image in enumerate(images(of)):
                noise = generator(options["seed"], "local loss", of, number)
                label = () if labels is None else (labels[number],)
                size = options["batch_size"]
                each.append(loss_of_image(predict, process, image, at, noise, size, *label, weights=weights_at))
                done += 1
                progress(name, done, count)
            found[of] = np.array(each)
        with replacing(folder / LOSSES) as temporary:
            save_file(found, temporary)
        announce_entry(folder, [LOSSES], wanted[name], started)

    return fill(collection, wanted, make)


def _timesteps(process: Process, options: dict[str, Any]) -> tuple[list[int], torch.Tensor | None]:
    """The timesteps of the images' losses, and the weight of each where it is not the same."""
    of, count = process.timesteps, options["timesteps"]
    if options["of"] == "loss":
        return [at * of // count for at in range(count)], None
    at = [(2 * step + 1) * of // (2 * count) for step in range(count)]
    return at, of * process.bound_weights(torch.tensor(at, device=options["device"]))
