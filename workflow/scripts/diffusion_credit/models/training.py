"""The training of a denoising network, for every model of a study: full, re-fitted, and one a subset."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from diffusion_credit.models.diffusion import Process
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.optimising import batch_of, optimise


def loss_of(
    predict: Callable[..., torch.Tensor],
    precision: str,
    noised: torch.Tensor,
    times: torch.Tensor,
    target: torch.Tensor,
    *labels: torch.Tensor,
) -> torch.Tensor:
    """The mean squared error of a network's prediction. noised, times, target: as `Process` draws them."""
    return nn.functional.mse_loss(predicted(predict, precision, noised, times, *labels), target)


def predicted(predict: Callable[..., torch.Tensor], precision: str, *told: torch.Tensor) -> torch.Tensor:
    """A network's prediction in float32, computed in a precision. told: noised tensors, times, rows of texts."""
    with torch.autocast(told[0].device.type, torch.bfloat16, enabled=precision == "bf16"):
        return predict(*told).float()


@torch.inference_mode()
def loss_of_image(
    predict: Callable[..., torch.Tensor],
    process: Process,
    image: torch.Tensor,
    at: list[int],
    rng: np.random.Generator,
    batch_size: int,
    *label: torch.Tensor,
    weights: torch.Tensor | None = None,
) -> float:
    """The loss of one image (channels, height, width), averaged over the timesteps `at`, one noise of rng each.

    label: the row of its text, where it has one. weights: (timesteps,) factors on the sum of the squared errors of all
    numbers of the image; without them the loss is their mean, as in training.
    """
    noise = torch.from_numpy(rng.standard_normal((len(at), *image.shape), dtype=np.float32)).to(image.device)
    t, total = torch.tensor(at, device=image.device), 0.0
    for start in range(0, len(at), batch_size):
        part = slice(start, start + batch_size)
        noised, times, target = process.noised(image.expand_as(noise[part]), noise[part], t[part])
        predicted = predict(noised, times, *(row.expand(len(noised)) for row in label))
        error = (predicted.float() - target).square().flatten(1)
        total += float(error.mean(1).sum() if weights is None else (error.sum(1) * weights[part]).sum())
    return total / len(at)


def train(
    model: Any,
    predict: Callable[..., torch.Tensor],
    inputs: Inputs,
    images: np.ndarray,
    diffusion: dict[str, Any],
    options: dict[str, Any],
    seed: int,
    state: Path,
    key: str,
    progress: Callable[[int, int], None] = lambda done, steps: None,
    *,
    ascend: bool = False,
    labels: torch.Tensor | None = None,
) -> tuple[float, list[list[torch.Tensor]]]:
    """Train `model`, a network of diffusers, in place on these images, as `optimise` does; return what that returns.

    predict: the network's prediction from noised tensors and timesteps. images: indices into `inputs`, which is on
    the model's device. ascend: climb the loss, to unlearn the images. labels: (images of `inputs`,) what the network is
    told of each, in place of its text.
    """
    process = Process(diffusion, str(inputs.images.device))
    told = inputs.labels if labels is None else labels
    reseed = reseeding(model)

    def batch(step: int, rng: np.random.Generator) -> list[torch.Tensor]:
        chosen = batch_of(images, seed, step, options["batch_size"])
        flip = flips(options, len(chosen), rng)
        reseed(rng)
        drawn = list(process.draw(inputs.batch(chosen, flip), rng))
        if told is not None:
            drawn.append(with_dropout(told[chosen], options["caption_dropout"], rng))
        return drawn

    def loss(*tensors: torch.Tensor) -> torch.Tensor:
        return loss_of(predict, options["precision"], *tensors)

    return optimise(model, batch, loss, options, seed, state, key, progress, ascend=ascend)


def reseeding(model: nn.Module) -> Callable[[np.random.Generator], None]:
    """What seeds a network's own draws at each step; it does nothing for a network without dropout."""
    drops = any(isinstance(module, nn.Dropout) and module.p > 0 for module in model.modules())

    def reseed(rng: np.random.Generator) -> None:
        if drops:
            torch.manual_seed(int(rng.integers(2**63)))

    return reseed


def flips(options: dict[str, Any], count: int, rng: np.random.Generator) -> np.ndarray:
    """Which of so many images are mirrored: (count,)."""
    return rng.random(count) < 0.5 if options["flip"] else np.zeros(count, dtype=bool)


def with_dropout(labels: torch.Tensor, share: float, rng: np.random.Generator) -> torch.Tensor:
    """The labels, of which about a share becomes 0, the empty text (arXiv 2207.12598, algorithm 1)."""
    if not share:
        return labels
    dropped = torch.from_numpy(rng.random(len(labels)) < share).to(labels.device)
    return labels.masked_fill(dropped, 0)
