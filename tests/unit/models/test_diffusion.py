"""The diffusion process: noised images, targets and samples by hand and by diffusers' own schedulers."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, FlowMatchEulerDiscreteScheduler

from diffusion_credit.base.seeds import noise
from diffusion_credit.models.diffusion import Process, sample

FLOW = {"timesteps": 1000, "schedule": "flow", "times": "uniform", "shift": 1.0}
DDPM = {"timesteps": 1000, "schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02, "prediction": "epsilon"}
SHAPE = (2, 4, 4)
IMAGES = torch.tensor([[[[0.5, -1.0]]], [[[0.25, 1.0]]]])
NOISE = torch.tensor([[[[2.0, 1.0]]], [[[-1.0, 0.0]]]])


def test_flow_matching_by_hand() -> None:
    """Levels 0.1 and 1: noised = (1 - level) image + level noise; velocity = noise - image; told 1000 x level."""
    noised, told, target = Process(FLOW, "cpu").noised(IMAGES, NOISE, torch.tensor([99, 999]))
    assert torch.allclose(noised, torch.tensor([[[[0.65, -0.8]]], [[[-1.0, 0.0]]]]))
    assert torch.allclose(target, torch.tensor([[[[1.5, 2.0]]], [[[-1.25, -1.0]]]]))
    assert torch.allclose(told, torch.tensor([100.0, 1000.0]))
    # shift 3: 0.1 becomes 3 x 0.1 / (1 + 2 x 0.1) = 0.25
    noised, told, _ = Process({**FLOW, "shift": 3.0}, "cpu").noised(IMAGES, NOISE, torch.tensor([99, 999]))
    assert torch.allclose(noised[0], torch.tensor([[[0.875, -0.5]]]))
    assert torch.allclose(told, torch.tensor([250.0, 1000.0]))


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_variances_are_diffusers_own(prediction: str) -> None:
    t, scheduler = torch.tensor([3, 700]), DDPMScheduler(beta_start=1e-4, beta_end=0.02)
    noised, told, target = Process({**DDPM, "prediction": prediction}, "cpu").noised(IMAGES, NOISE, t)
    velocity = scheduler.get_velocity(IMAGES, NOISE, t)
    assert torch.allclose(noised, scheduler.add_noise(IMAGES, NOISE, t)) and torch.equal(told, t)
    assert torch.allclose(target, {"epsilon": NOISE, "v_prediction": velocity, "sample": IMAGES}[prediction])


def test_times_are_drawn_as_the_study_says() -> None:
    """Uniform: mean 1/2, standard deviation 1/sqrt(12). Logit-normal: the logit has mean 0 and deviation 1."""
    images = torch.zeros(40_000, 1, 1, 1)
    for times in ("uniform", "logit_normal"):
        _, told, _ = Process({**FLOW, "times": times}, "cpu").draw(images, np.random.default_rng(0))
        assert float(told.min()) >= 1 and float(told.max()) <= 1000
        share = (told.double() - 0.5) / 1000
        values = share if times == "uniform" else torch.log(share / (1 - share))
        expected = (0.5, 12**-0.5) if times == "uniform" else (0.0, 1.0)
        assert (float(values.mean()), float(values.std())) == pytest.approx(expected, abs=0.02)


def drawn(predict: Callable[..., torch.Tensor], process: dict, **options: object) -> torch.Tensor:
    """The tensors that three images are decoded from."""
    ends: list[torch.Tensor] = []

    def decode(x: torch.Tensor) -> torch.Tensor:
        ends.append(x)
        return x

    asked = {"images": 3, "steps": 5, "batch_size": 2, "precision": "float32", **options}
    sample(predict, decode, process, asked, SHAPE, 7, "cpu")
    return torch.cat(ends)


def test_euler_steps_follow_a_known_velocity_exactly() -> None:
    """For one image c, the velocity at (x, level) is (x - c) / level; straight lines end in c at any step count."""
    c = torch.full(SHAPE, 0.3)
    for steps in (1, 5, 50):
        for shift in (1.0, 3.0):
            process = {**FLOW, "shift": shift}
            end = drawn(lambda x, t: (x - c) / (t / 1000), process, solver="flow_euler", steps=steps)
            assert torch.allclose(end, c.expand_as(end), atol=1e-4)


def test_flow_samples_are_those_of_diffusers_scheduler() -> None:
    """The levels 1, 0.8, 0.6, 0.4, 0.2 shifted by the scheduler itself, and a velocity that bends."""

    def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.sin(x + t / 1000)

    scheduler, x = FlowMatchEulerDiscreteScheduler(shift=3.0), torch.from_numpy(noise(7, 0, 3, SHAPE))
    scheduler.set_timesteps(sigmas=[1.0, 0.8, 0.6, 0.4, 0.2])
    for t in scheduler.timesteps:
        x = scheduler.step(predict(x, t), t, x).prev_sample
    assert torch.allclose(drawn(predict, {**FLOW, "shift": 3.0}, solver="flow_euler"), x, atol=1e-6)


def test_ddim_by_its_formula() -> None:
    """arXiv 2010.02502, equation 12 without noise, at timesteps 999, 799, ..., 199, and then the clean image."""

    def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.sin(x + t / 1000)

    kept = DDIMScheduler(beta_start=1e-4, beta_end=0.02).alphas_cumprod
    x, at = torch.from_numpy(noise(7, 0, 3, SHAPE)), [999, 799, 599, 399, 199]
    for t, following in zip(at, [*at[1:], None], strict=True):
        e = predict(x, torch.tensor(t))
        after = torch.tensor(1.0) if following is None else kept[following]
        x = after.sqrt() * (x - (1 - kept[t]).sqrt() * e) / kept[t].sqrt() + (1 - after).sqrt() * e
    assert torch.allclose(drawn(predict, DDPM, solver="ddim"), x, atol=1e-5)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample", "flow"])
def test_a_bound_is_the_divergence_of_two_posteriors(prediction: str) -> None:
    """Half of the squared difference of the means of q(s | t, x) and q(s | t, predicted x) over their variance.

    Means and variance as Kingma et al., arXiv 2107.00630, have them.
    """
    of = {"timesteps": 50, "beta_start": 1e-4, "beta_end": 0.02, "prediction": prediction, "schedule": "linear"}
    flow = {"timesteps": 50, "schedule": "flow", "times": "uniform", "shift": 3.0}
    process = Process(flow if prediction == "flow" else of, "cpu")
    rng = np.random.default_rng(0)
    x, wrong = (torch.from_numpy(rng.normal(size=(48, 1, 2, 2))) for _ in range(2))
    t = torch.arange(1, 49)
    noised, _, target = process.noised(x, torch.from_numpy(rng.normal(size=(48, 1, 2, 2))), t)
    a, b = (each[t, None, None, None].double() for each in (process.signal, process.noise))
    # the network that is wrong by as much as to predict the image `wrong`
    noise = (noised - a * wrong) / b
    predicted = {
        "epsilon": noise, "v_prediction": a * noise - b * wrong, "sample": wrong, "flow": noise - wrong,
    }[prediction]  # fmt: skip
    found = process.bound_weights(t) * (predicted - target).square().flatten(1).sum(1)
    before_a, before_b = (each[t - 1, None, None, None].double() for each in (process.signal, process.noise))
    step = b**2 - (a / before_a) ** 2 * before_b**2
    variance = step * before_b**2 / b**2
    between = before_a * step / b**2 * (x - wrong)
    expected = (between.square() / (2 * variance)).flatten(1).sum(1)
    assert torch.allclose(found.double(), expected, rtol=1e-3)
    assert float(process.bound_weights(torch.tensor([0]))) == 0
