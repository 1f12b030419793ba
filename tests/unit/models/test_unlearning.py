"""Unlearning: the closed form against dense algebra, Newton's step against exact retraining, losses that rise."""

from pathlib import Path

import numpy as np
import pytest
import torch

from diffusion_credit.base.seeds import generator
from diffusion_credit.models import unlearning
from diffusion_credit.models.checkpoints import build, parameters
from diffusion_credit.models.diffusion import Process
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.networks import unet
from diffusion_credit.models.options import Training
from diffusion_credit.models.training import loss_of, train

DIFFUSION = dict(timesteps=100, schedule="squaredcos_cap_v2", beta_start=1e-4, beta_end=0.02, prediction="sample")
TRAINING = Training(steps=40, batch_size=8, learning_rate=2e-3, decay="constant", ema_decay=0.0).model_dump()
NETWORK = unet.architecture(
    unet.Options(kind="unet", channels=[8], layers_per_block=1, norm_groups=4).model_dump(),
    (1, 8, 8),
)
INPUTS = Inputs(
    torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (24, 1, 8, 8)).astype(np.float32)),
    None,
    {},
    None,
    None,
    "d",
)
EVERYONE = np.arange(24)


def trained(tmp_path: Path) -> tuple[torch.nn.Module, object]:
    model = build(NETWORK, 3, {})
    predict = unet.denoiser(model, {}, {}, guidance=1)
    train(model, predict, INPUTS, EVERYONE, DIFFUSION, TRAINING, 1, tmp_path / "state", "key")
    return model, predict


def loss(predict: object, images: np.ndarray) -> float:
    """Averaged over timesteps and noises that no training has seen."""
    process = Process(DIFFUSION, "cpu")
    with torch.inference_mode():
        x = INPUTS.images[images]
        draws = [loss_of(predict, "float32", *process.draw(x, generator(99, i))) for i in range(20)]
    return float(torch.stack(draws).mean())


def test_the_inverse_equals_dense_algebra() -> None:
    rng = torch.Generator().manual_seed(0)
    gradients, vector = torch.randn(5, 9, generator=rng).double(), torch.randn(9, generator=rng).double()
    for damping in (1e-3, 1.0):
        fisher = damping * torch.eye(9).double() + gradients.T @ gradients / 5
        found = unlearning.inverse_fisher(gradients, damping, vector)
        assert torch.allclose(found, torch.linalg.solve(fisher, vector), rtol=1e-9)


def test_forgetting_is_the_newton_step_of_a_quadratic_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mean estimation: the loss of example x is (w - x)^2 / 2 with x of variance 1, so Fisher and Hessian are 1."""
    x = torch.from_numpy(np.random.default_rng(0).standard_normal(4000)).float()
    x = (x - x.mean()) / x.std()
    monkeypatch.setattr(
        unlearning.Influence, "_gradient", lambda self, images, rng: (self.start - x[images]).mean().reshape(1)
    )
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(model.weight)  # everyone's optimum
    inputs = Inputs(x[:, None, None, None], None, {}, None, None, "d")
    options = {"gradients": 600, "batch_size": 8, "draws": 1, "damping": 1e-3}
    influence = unlearning.Influence(model, lambda x, t: x, inputs, DIFFUSION, options, 7)
    removed = np.flatnonzero(x < -0.5)
    influence.forget(removed, kept=4000 - len(removed))
    # one Newton step on the kept examples' mean loss from everyone's optimum ends at their own; the Fisher matrix of
    # 600 gradients has an error of some 6 percent
    assert model.weight.item() == pytest.approx(x[x >= -0.5].mean().item(), rel=0.2)


def test_influence_raises_the_loss_of_what_is_left_out_most_and_nobody_left_out_changes_nothing(
    tmp_path: Path,
) -> None:
    model, predict = trained(tmp_path)
    start = torch.cat([p.detach().reshape(-1) for p in parameters(model)])
    options = {"gradients": 6, "batch_size": 8, "draws": 4, "damping": 0.01}
    influence = unlearning.Influence(model, predict, INPUTS, DIFFUSION, options, 7)
    influence.forget(EVERYONE[:0], kept=24)
    assert torch.equal(torch.cat([p.detach().reshape(-1) for p in parameters(model)]), start)
    before = loss(predict, EVERYONE[:8]), loss(predict, EVERYONE[8:])
    influence.forget(EVERYONE[:8], kept=16)
    after = loss(predict, EVERYONE[:8]), loss(predict, EVERYONE[8:])
    assert after[0] > before[0]
    assert after[0] - before[0] > after[1] - before[1]


def test_gradient_ascent_raises_the_loss_of_its_images(tmp_path: Path) -> None:
    model, predict = trained(tmp_path)
    before = loss(predict, EVERYONE[:8])
    options = {**TRAINING, "steps": 5, "learning_rate": 5e-4}
    train(model, predict, INPUTS, EVERYONE[:8], DIFFUSION, options, 1, tmp_path / "up", "key", ascend=True)
    assert loss(predict, EVERYONE[:8]) > before
