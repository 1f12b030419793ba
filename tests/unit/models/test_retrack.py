"""Unlearning by ReTrack: its target against a straight reading of its formula, neighbours by SciPy, what is lost."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from diffusion_credit.base.seeds import generator
from diffusion_credit.models.checkpoints import build
from diffusion_credit.models.diffusion import Process
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.networks import unet
from diffusion_credit.models.options import Training
from diffusion_credit.models.regimes.unlearn import Options
from diffusion_credit.models.retrack import forget, nearest, redirected
from diffusion_credit.models.training import loss_of, train

VARIANCES = dict(timesteps=100, schedule="squaredcos_cap_v2", beta_start=1e-4, beta_end=0.02)
FLOW = dict(timesteps=100, schedule="flow", times="uniform", shift=1.0)


def drawn(*shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(len(shape)).uniform(-1, 1, shape)).double()


@pytest.mark.parametrize("limit", [1e-3, 0.5, 1e6])
def test_the_prediction_is_the_published_one(limit: float) -> None:
    """Shi et al., equation for the weights; Murata et al., code: the correction is clipped for each neighbour."""
    process = Process({**VARIANCES, "prediction": "epsilon"}, "cpu")
    forgotten, near, noise = drawn(5, 1, 4, 4), drawn(5, 3, 1, 4, 4), drawn(5, 4, 4, 1).reshape(5, 1, 4, 4)
    t = torch.tensor([0, 3, 30, 60, 99])
    noised, told, target = redirected(process, forgotten, near, noise, t, limit)
    assert told.tolist() == t.tolist()
    for i in range(5):
        signal, sigma = float(process.signal[t[i]]), float(process.noise[t[i]])
        at = signal * forgotten[i] + sigma * noise[i]
        assert torch.allclose(noised[i], at, atol=1e-6)
        weights, corrections = [], []
        for other in near[i]:
            weights.append(-float(((at - signal * other) ** 2).sum()) / (2 * sigma**2))
            correction = signal / sigma * (forgotten[i] - other)
            corrections.append(correction * min(1, math.sqrt(2 * limit) / float(correction.norm())))
        weights = np.exp(np.array(weights) - max(weights))
        expected = noise[i] + sum(w * c for w, c in zip(weights / weights.sum(), corrections, strict=True))
        assert torch.allclose(target[i], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("diffusion", [*({**VARIANCES, "prediction": p} for p in ("sample", "v_prediction")), FLOW])
def test_every_kind_of_prediction_leads_to_the_one_neighbour(diffusion: dict) -> None:
    """Without a limit, and with one neighbour, the network is told what it would be of the neighbour itself."""
    process = Process(diffusion, "cpu")
    forgotten, near, t = drawn(4, 1, 2, 2), drawn(4, 1, 1, 2, 2), torch.tensor([1, 40, 80, 99])
    noise = drawn(4, 2, 2, 1).reshape(4, 1, 2, 2)
    noised, _, target = redirected(process, forgotten, near, noise, t, 1e12)
    a, b = (each[t, None, None, None] for each in (process.signal, process.noise))
    other = (a * forgotten + b * noise - a * near[:, 0]) / b  # the noise by which the neighbour becomes the same
    again, _, expected = process.noised(near[:, 0], other, t)
    assert torch.allclose(noised, again, atol=1e-5)
    assert torch.allclose(target, expected, rtol=1e-4, atol=1e-4)


def test_neighbours_are_the_nearest_that_are_kept() -> None:
    images = drawn(300, 1, 3, 3).float()
    forgotten, kept = np.arange(0, 290), np.arange(290, 300)
    distances = cdist(images[forgotten].flatten(1).numpy(), images[kept].flatten(1).numpy())
    assert nearest(images, forgotten, kept, 4).tolist() == kept[np.argsort(distances, axis=1)[:, :4]].tolist()
    assert nearest(images, forgotten, kept[:2], 4).shape == (290, 2)


def test_what_is_left_out_loses_more_than_what_is_kept(tmp_path: Path) -> None:
    """Two kinds of images, one of them left out: its loss rises, and that of the others stays about the same."""
    rng = np.random.default_rng(0)
    kinds = np.stack([np.linspace(-1, 1, 64).reshape(8, 8), -np.linspace(-1, 1, 64).reshape(8, 8).T])
    images = np.repeat(kinds, 16, axis=0) + rng.normal(0, 0.05, (32, 8, 8))
    inputs = Inputs(torch.from_numpy(images[:, None].astype(np.float32)), None, {}, None, None, "d")
    first, second = np.arange(16), np.arange(16, 32)
    diffusion = {**VARIANCES, "prediction": "sample"}
    options = unet.Options(kind="unet", channels=[16], layers_per_block=1, norm_groups=4).model_dump()
    network = unet.architecture(options, (1, 8, 8))
    model = build(network, 3, {})
    predict = unet.denoiser(model, {}, {}, guidance=1)
    training = Training(steps=200, batch_size=16, learning_rate=4e-3, decay="constant", ema_decay=0.0).model_dump()
    train(model, predict, inputs, np.arange(32), diffusion, training, 1, tmp_path / "a", "key")

    def loss(which: np.ndarray) -> float:
        process = Process(diffusion, "cpu")
        with torch.inference_mode():
            x = inputs.images[which]
            each = [loss_of(predict, "float32", *process.draw(x, generator(99, i))) for i in range(20)]
        return float(torch.stack(each).mean())

    before = loss(first), loss(second)
    section = Options(
        steps=100, batch_size=16, learning_rate=1e-3, decay="constant", ema_decay=0.0, forget_weight=1.0,
        divergence=100.0,
    ).model_dump()  # fmt: skip
    forget(model, predict, inputs, first, second, diffusion, section, 1, tmp_path / "b", "key")
    after = loss(first), loss(second)
    assert after[1] > 2 * before[1]
    assert after[0] < 1.2 * before[0]
