"""Unlearning that leads the noised images to forget to similar images that are kept, while these are trained on.

Source: Shi et al., ReTrack, arXiv 2509.13007; with its limit on the divergence as GUDA has it (Murata et al.,
arXiv 2601.22651).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffusion_credit.models.diffusion import Drawn, Process
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.optimising import batch_of, optimise
from diffusion_credit.models.training import flips, predicted, reseeding, with_dropout

ROWS = 256  # images to forget whose distances are computed at once


def nearest(images: torch.Tensor, forgotten: np.ndarray, kept: np.ndarray, count: int) -> np.ndarray:
    """For each image to forget the indices of the nearest images that are kept, by Euclidean distance: (forgotten, k).

    images: (images, channels, height, width), as the network takes them. k: count, or all that are kept.
    """
    others, found = images[kept].flatten(1), []
    for start in range(0, len(forgotten), ROWS):
        part = images[forgotten[start : start + ROWS]].flatten(1)
        found.append(torch.cdist(part, others).topk(min(count, len(kept)), largest=False).indices.cpu().numpy())
    return kept[np.concatenate(found)]


def redirected(
    process: Process, forgotten: torch.Tensor, near: torch.Tensor, noise: torch.Tensor, t: torch.Tensor, limit: float
) -> Drawn:
    """As `Process.noised` for images to forget (batch, ...), but with the prediction that leads to images near them.

    near: (batch, k, ...). The noised image stays what it is. Each near image counts by how likely this noised image
    comes from it. limit: the largest Kullback-Leibler divergence, in nats, between the two predictions, in units of
    the noise; what goes beyond is shortened.
    """
    a, b = (each[t].reshape(-1, 1, 1, 1, 1) for each in (process.signal, process.noise))
    away = forgotten[:, None] - near
    noised = a * forgotten[:, None] + b * noise[:, None]
    distance = ((noised - a * near) / b).square().flatten(2).sum(2)
    length = (a / b * away).flatten(2).norm(dim=2)
    share = torch.softmax(-distance / 2, dim=1) * ((2 * limit) ** 0.5 / length.clamp(min=1e-12)).clamp(max=1)
    move = (share[..., None, None, None] * away).sum(1)
    return process.noised(forgotten - move, noise + (a / b)[:, 0] * move, t)


def forget(
    model: Any,
    predict: Callable[..., torch.Tensor],
    inputs: Inputs,
    kept: np.ndarray,
    forgotten: np.ndarray,
    diffusion: dict[str, Any],
    options: dict[str, Any],
    seed: int,
    state: Path,
    key: str,
    progress: Callable[[int, int], None] = lambda done, steps: None,
) -> tuple[float, list[list[torch.Tensor]]]:
    """Train `model` in place to forget some images, as `optimise` does; return what that returns.

    kept, forgotten: indices into `inputs`. options: a `regimes.unlearn` section. Each step takes batch_size images of
    either; its loss is that of the kept ones plus forget_weight times that of the others.
    """
    process = Process(diffusion, str(inputs.images.device))
    device, size, reseed = inputs.images.device, options["batch_size"], reseeding(model)
    near = dict(zip(forgotten.tolist(), nearest(inputs.images, forgotten, kept, options["neighbours"]), strict=True))
    weight = torch.tensor([2.0] * size + [2.0 * options["forget_weight"]] * size, device=device)  # of a mean over both

    def batch(step: int, rng: np.random.Generator) -> list[torch.Tensor]:
        chosen = [batch_of(images, seed, step, size) for images in (kept, forgotten)]
        flip = [flips(options, size, rng) for _ in chosen]
        reseed(rng)
        learnt = process.draw(inputs.batch(chosen[0], flip[0]), rng)
        neighbours = np.stack([near[image] for image in chosen[1].tolist()])
        others = inputs.batch(neighbours.reshape(-1), flip[1].repeat(neighbours.shape[1]))
        away = inputs.batch(chosen[1], flip[1])
        shape = (size, neighbours.shape[1], *others.shape[1:])
        led = redirected(process, away, others.reshape(shape), *process.drawn(away, rng), options["divergence"])
        drawn = [torch.cat(parts) for parts in zip(learnt, led, strict=True)] + [weight]
        if inputs.labels is not None:
            drawn.append(with_dropout(inputs.labels[np.concatenate(chosen)], options["caption_dropout"], rng))
        return drawn

    def loss(
        noised: torch.Tensor, times: torch.Tensor, target: torch.Tensor, each: torch.Tensor, *labels: torch.Tensor
    ) -> torch.Tensor:
        found = predicted(predict, options["precision"], noised, times, *labels)
        return (each * (found - target).square().flatten(1).mean(1)).mean()

    return optimise(model, batch, loss, options, seed, state, key, progress)
