"""Whether the full model uses what it is given: its training, the texts of its images, and latents of the right size.

A dead adapter, a wrong scale of latents or a text that is ignored gives finite numbers all the same.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats

from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.seeds import generator
from diffusion_credit.models.checkpoints import load_model, reinitialise
from diffusion_credit.models.diffusion import Process
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.training import loss_of_image

HEADER = ["measure", "value", "low", "high", "note"]
IMAGES, TIMES = 64, 10  # so many images' loss is measured, at so many timesteps
LATENTS = (0.5, 2.0)  # deviations that noise of deviation 1 hides at the last timesteps and not at the first


def learning(full: Path, inputs: Inputs, weights: dict[str, Path], options: dict[str, Any]) -> list[list[Any]]:
    """Rows of HEADER: numbers of the full model with 95% intervals, and a note where one is not what it should be.

    The loss is that of the training (see `loss_of_image`), on training images that are spread evenly over the index,
    always with the same noise. The network before its training is one of the same architecture with its weights, or
    its adapters, drawn anew. options: network, diffusion, batch_size (noised images at once), seed, device.
    """
    device, seed = options["device"], options["seed"]
    process = Process(options["diffusion"], device)
    model, config = load_model(full, device, weights)
    predict = module_of("networks", options["network"]).denoiser(
        model, config["architecture"], inputs.conditions, guidance=1
    )
    count = len(inputs.images)
    chosen = np.unique(np.linspace(0, count - 1, min(count, IMAGES)).astype(int))
    times = [(2 * at + 1) * process.timesteps // (2 * TIMES) for at in range(TIMES)]

    def losses(labels: torch.Tensor | None) -> np.ndarray:
        found = []
        for image in chosen.tolist():
            told = () if labels is None else (labels[image],)
            noise = generator(seed, "learning", image)
            found.append(
                loss_of_image(predict, process, inputs.images[image], times, noise, options["batch_size"], *told)
            )
        return np.array(found)

    own = losses(inputs.labels)
    rows = [["loss", *_interval(own), ""]]
    if inputs.latents:
        rows.insert(0, _of_latents(inputs.images))
    if inputs.labels is not None:
        texts, note = inputs.labels.unique(), ""
        # one text for all is compared with the empty one; a network that ignores it loses nothing
        other = torch.zeros_like(inputs.labels)
        if len(texts) > 1:
            other = texts.roll(-1)[torch.searchsorted(texts, inputs.labels)]
            note = "the loss is as low when images are told another text: the network may ignore its texts"
        rows.append(_share("share_of_loss_that_text_removes", losses(other), own, note))
    reinitialise(model, config["architecture"], seed)
    note = "the loss is as low before the training: the full model, or its adapters, may not have learnt anything"
    rows.append(_share("share_of_loss_that_training_removes", losses(inputs.labels), own, note))
    return rows


def _of_latents(latents: torch.Tensor) -> list[Any]:
    deviation = float(latents.std())
    low, high = LATENTS
    note = f"latents should have a standard deviation of about 1, between {low} and {high} (model.latent_scale)"
    return ["deviation_of_latents", deviation, "", "", "" if low < deviation < high else note]


def _share(name: str, before: np.ndarray, after: np.ndarray, note: str) -> list[Any]:
    """A row of how much smaller the second losses (images,) are than the first, pair by pair; it should be above 0."""
    mean, low, high = _interval((before - after) / before.mean())
    return [name, mean, low, high, "" if low > 0 else note]


def _interval(found: np.ndarray) -> tuple[float, float, float]:
    """Mean of (images,) numbers, with the ends of its 95% interval by the t distribution."""
    mean = float(found.mean())
    half = float(stats.t.ppf(0.975, len(found) - 1) * found.std(ddof=1) / len(found) ** 0.5)
    return mean, mean - half, mean + half
