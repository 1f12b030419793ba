"""Per-image gradients against single backward passes, scores against dense float64 algebra, projection in theory."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from diffusion_credit.base.errors import UserError
from diffusion_credit.baselines import gradients, kernels, projection
from diffusion_credit.baselines.methods import gradients as family
from diffusion_credit.models.checkpoints import build
from diffusion_credit.models.diffusion import Process
from diffusion_credit.models.networks import dit, unet

DIFFUSION = dict(timesteps=100, schedule="squaredcos_cap_v2", beta_start=1e-4, beta_end=0.02, prediction="epsilon")
SMALL = unet.architecture(
    unet.Options(kind="unet", channels=[4], layers_per_block=1, norm_groups=2, attention=[0]).model_dump(),
    (1, 4, 4),
)
AT = [0, 20, 40, 60, 80]
TRAIN, QUERIES = 30, 6


@cache
def made() -> dict[str, Any]:
    """A network of some 3,000 weights, images, and a noise for each image and timestep."""
    model = build(SMALL, 3, {}).eval()
    rng = torch.Generator().manual_seed(0)
    images = torch.rand(TRAIN + QUERIES, 1, 4, 4, generator=rng) * 2 - 1
    noise = torch.randn(TRAIN + QUERIES, len(AT), 1, 4, 4, generator=rng)
    return dict(model=model, images=images, noise=noise)


@pytest.fixture
def case() -> dict[str, Any]:
    return made()


def by_vmap(case: dict[str, Any], output: str, together: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    model = case["model"]
    per_image = gradients.PerImage(model, unet.denoiser(model, {}, {}, 1), DIFFUSION, output)
    blocks, error = per_image(case["images"], case["noise"], AT, together)
    return torch.cat(blocks, 1), error


@cache
def by_loop(output: str) -> torch.Tensor:
    """One backward pass for each image and timestep, in float64."""
    case, number = made(), BY_HAND[output]
    model, process = build(SMALL, 3, {}).eval().double(), Process(DIFFUSION, "cpu")
    rows = []
    for image, noises in zip(case["images"].double(), case["noise"].double(), strict=True):
        total = torch.zeros(sum(p.numel() for p in model.parameters()), dtype=torch.float64)
        for t, noise in zip(AT, noises, strict=True):
            noised, _, target = process.noised(image[None], noise[None], torch.tensor([t]))
            value = number(model(noised.double(), t).sample.flatten(), target.double().flatten())
            total += torch.cat([g.flatten() for g in torch.autograd.grad(value, list(model.parameters()))])
        rows.append(total)
    return torch.stack(rows)


BY_HAND: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "loss": lambda p, e: ((p - e) ** 2).mean(),
    "squared_l2": lambda p, e: (p**2).mean(),
    "mean": lambda p, e: p.mean(),
    "l1": lambda p, e: torch.linalg.vector_norm(p, 1),
    "l2": lambda p, e: torch.linalg.vector_norm(p, 2),
    "linf": lambda p, e: torch.linalg.vector_norm(p, float("inf")),
}


@pytest.mark.parametrize("output", BY_HAND)
def test_gradients_equal_a_loop_of_single_backward_passes(case: dict[str, Any], output: str) -> None:
    found, expected = by_vmap(case, output)[0].double(), by_loop(output)
    assert found.shape == expected.shape
    assert float((found - expected).norm() / expected.norm()) < 1e-5
    assert set(BY_HAND) == set(gradients.OUTPUTS)


@pytest.mark.parametrize("told", [False, True])
def test_gradients_of_a_transformer_equal_single_backward_passes(case: dict[str, Any], told: bool) -> None:
    """In float64, by flow matching, whose times are no whole numbers; with weights of which none is zero."""
    architecture = dit.architecture(dict(width=8, patch=2, heads=2, layers=2), (1, 4, 4))
    model = build(dit.conditional(architecture, 3), 3, {}).eval().double()
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=rng))
    flow = dict(timesteps=100, schedule="flow", times="uniform", shift=3.0)
    images, noise = case["images"][:4].double(), case["noise"][:4].double()
    labels = torch.tensor([0, 2, 1, 2]) if told else None
    per_image = gradients.PerImage(model, dit.denoiser(model, {}, {}, 1), flow, "loss")
    found = torch.cat(per_image(images, noise, AT, 2, labels)[0], 1)
    for at in range(4):
        total = torch.zeros(found.shape[1], dtype=torch.float64)
        for number, t in enumerate(AT):
            share = (t + 1) / 100
            level = torch.tensor([3 * share / (1 + 2 * share)])
            e = noise[at, number][None]
            noised, target = (1 - level) * images[at] + level * e, e - images[at]
            label = torch.tensor([0 if labels is None else labels[at]])
            loss = (model(noised, 100 * level, class_labels=label).sample - target).square().mean()
            total += torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])
        assert float((found[at] - total).norm() / total.norm()) < 1e-5


def test_timesteps_taken_together_do_not_change_the_sum(case: dict[str, Any]) -> None:
    for together in (1, 5, 7):
        assert torch.allclose(by_vmap(case, "loss", together)[0], by_vmap(case, "loss")[0], rtol=1e-4, atol=1e-6)


def test_the_error_is_the_root_mean_square_of_the_prediction(case: dict[str, Any]) -> None:
    process, model = Process(DIFFUSION, "cpu"), case["model"]
    _, error = by_vmap(case, "mean")
    with torch.no_grad():
        each = []
        for t, noise in zip(AT, case["noise"][4], strict=True):
            noised, _, target = process.noised(case["images"][4:5], noise[None], torch.tensor([t]))
            each.append(float((model(noised, t).sample - target).square().mean().sqrt()))
    assert float(error[4]) == pytest.approx(np.mean(each), rel=1e-5)


def test_timesteps_are_spaced_as_stated() -> None:
    assert gradients.timesteps(1000, 10, "even") == list(range(0, 1000, 100))
    assert gradients.timesteps(1000, 3, "even") == [0, 333, 666]
    assert gradients.timesteps(1000, 4, "cumulative") == [0, 1, 2, 3]


def explicit(phi: np.ndarray, queries: np.ndarray, error: np.ndarray, damping: float) -> dict[str, np.ndarray]:
    """Every score by its formula, with the full kernel of weights by weights inverted in float64."""
    kernel = phi.T @ phi
    scale = np.trace(kernel) / min(phi.shape)
    inverse = np.linalg.inv(kernel + damping * scale * np.eye(len(kernel)))
    plain = queries @ inverse @ phi.T
    length = {name: np.linalg.norm(rows, axis=1) for name, rows in (("phi", phi), ("solved", phi @ inverse))}
    leverage = np.einsum("ij,jk,ik->i", phi, inverse, phi)
    return {
        "dot": queries @ phi.T,
        "cosine": queries @ phi.T / np.linalg.norm(queries, axis=1)[:, None] / length["phi"],
        "trak": plain,
        "relative_if": plain / length["solved"],
        "renormalized_if": plain / length["phi"],
        "das": (plain * error / (1 - leverage)) ** 2,
    }


def scored(case: dict[str, Any], output: str, score: str, damping: float, dimension: int | None) -> np.ndarray:
    """The matrix of scores (queries, training images) as the baseline computes it."""
    features, error = by_vmap(case, output)
    found = projection.project([features[:, :1000], features[:, 1000:]], dimension, 5).numpy()
    sources = {
        "gradients": {
            "00": {
                "data": {"features": found[:TRAIN], "error": error[:TRAIN].numpy()},
                "generated": {"features": found[TRAIN:], "error": error[TRAIN:].numpy()},
            }
        }
    }
    options = {"score": score, "damping": [damping], "along": "images"}
    ((_, parts, _),) = family.matrix(options, sources, ["generated"])
    chunks = parts["generated"]
    return np.concatenate(list(chunks))


@cache
def expected_scores(output: str, damping: float) -> dict[str, np.ndarray]:
    phi, error = by_loop(output).numpy(), by_vmap(made(), output)[1][:TRAIN].double().numpy()
    return explicit(phi[:TRAIN], phi[TRAIN:], error, damping)


@pytest.mark.parametrize("score", kernels.SCORES)
@pytest.mark.parametrize("output", ["loss", "squared_l2"])
def test_scores_equal_an_explicit_float64_computation(case: dict[str, Any], output: str, score: str) -> None:
    """TRAK is `loss` with `trak`, D-TRAK is `squared_l2` with `trak`."""
    for damping in (1e-2, 1.0):
        expected = expected_scores(output, damping)[score]
        found = scored(case, output, score, damping, None)
        assert np.linalg.norm(found - expected) < 1e-4 * np.linalg.norm(expected)


def test_projected_scores_converge_to_the_exact_ones(case: dict[str, Any]) -> None:
    """The error of an inner product falls with the root of the dimension: 16 times the numbers, a quarter of it."""
    exact = scored(case, "squared_l2", "trak", 0.1, None)
    error = {
        dimension: np.linalg.norm(scored(case, "squared_l2", "trak", 0.1, dimension) - exact) / np.linalg.norm(exact)
        for dimension in (256, 4096, 65536)
    }
    assert error[65536] < 0.1
    assert error[4096] < 0.5 * error[256]
    assert error[65536] < 0.5 * error[4096]


def test_more_images_than_dimensions_and_fewer_give_the_same_kernel() -> None:
    rng = np.random.default_rng(0)
    phi, queries, error = rng.standard_normal((50, 20)), rng.standard_normal((4, 20)), rng.random(50)
    for rows in (50, 12):
        expected = explicit(phi[:rows], queries, error[:rows], 0.3)["trak"]
        weighted, condition = kernels.Kernel(phi[:rows], error[:rows]).weighted("trak", 0.3)
        np.testing.assert_allclose(np.concatenate(list(kernels.scores("trak", queries, weighted))), expected)
        kernel = phi[:rows].T @ phi[:rows] if rows > 20 else phi[:rows] @ phi[:rows].T
        regular = kernel + 0.3 * np.trace(kernel) / len(kernel) * np.eye(len(kernel))
        # an estimate from below, seldom off by more than a factor of three
        assert 1 / 3 <= condition / np.linalg.cond(regular, 1) <= 1.0001


def test_an_ill_conditioned_kernel_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    phi = np.random.default_rng(0).standard_normal((30, 4)) @ np.random.default_rng(1).standard_normal((4, 20))
    kernel = kernels.Kernel(phi, np.ones(30))
    kernel.weighted("trak", 1e-3)
    assert not caplog.records
    _, condition = kernel.weighted("trak", 1e-14)
    assert condition is not None and condition > 1e12
    assert "condition number" in caplog.text
    with pytest.raises(UserError, match="expected a larger one"):
        kernels.Kernel(np.ones((30, 20)), np.ones(30)).weighted("trak", 1e-30)


def test_a_model_that_sees_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="found only zeros"):
        kernels.Kernel(np.zeros((3, 4)), np.ones(3))


def test_an_ensemble_averages_the_scores_of_its_models() -> None:
    rng = np.random.default_rng(0)
    models = {
        name: {of: {"features": rng.standard_normal((9, 5)), "error": rng.random(9)} for of in ("data", "generated")}
        for name in ("00", "01")
    }
    options = {"score": "trak", "damping": [0.2], "along": "images"}
    each = []
    for name in models:
        ((_, parts, _),) = family.matrix(options, {"gradients": {name: models[name]}}, ["generated"])
        each.append(np.concatenate(list(parts["generated"])))
    ((_, parts, _),) = family.matrix(options, {"gradients": models}, ["generated"])
    np.testing.assert_allclose(np.concatenate(list(parts["generated"])), (each[0] + each[1]) / 2)


def dense(widths: list[int], dimension: int, seed: int) -> np.ndarray:
    """The projection's matrix (columns, dimension): what it makes of unit vectors."""
    return projection.project(torch.eye(sum(widths)).split(widths, dim=1), dimension, seed).numpy()


def test_the_projection_is_the_stated_sparse_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kane and Nelson: in every column one sign in each of four equal parts of the rows, divided by the root of 4."""
    monkeypatch.setattr(projection, "CHUNK", 7)  # so that blocks are drawn in several pieces
    matrix = dense([5, 20, 1], 12, 1)
    assert (np.count_nonzero(matrix.reshape(26, 4, 3), axis=2) == 1).all()
    assert set(np.unique(np.abs(matrix))) == {0.0, 0.5}
    rows = torch.randn(3, 26, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(
        projection.project(rows.split([5, 20, 1], dim=1), 12, 1).numpy(), rows.numpy() @ matrix, atol=1e-6
    )
    assert not np.array_equal(matrix, dense([5, 20, 1], 12, 2))


def test_inner_products_keep_their_expectation_and_vary_as_stated() -> None:
    rng = torch.Generator().manual_seed(0)
    pair = torch.nn.functional.normalize(torch.randn(2, 300, generator=rng), dim=1)
    pair[1] = torch.nn.functional.normalize(pair[0] + pair[1], dim=0)
    exact = float(pair[0] @ pair[1])
    drawn = [projection.project([pair], 64, seed) for seed in range(2000)]
    products = np.array([float(rows[0] @ rows[1]) for rows in drawn])
    assert products.mean() == pytest.approx(exact, abs=4 * products.std() / 2000**0.5)
    # at most that of a dense normal matrix, (1 + exact^2) / dimension
    assert products.var() < 1.1 * (1 + exact**2) / 64


def test_the_path_ends_at_the_generated_image(case: dict[str, Any]) -> None:
    """On a network that predicts the right noise of one image, every step of DDIM predicts that image."""
    image, process = case["images"][:2], Process(DIFFUSION, "cpu")

    def knows(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return (x - process.signal[t] * image) / process.noise[t]

    at, clean = gradients.path(knows, DIFFUSION, 5, torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(1)))
    assert at == [99, 79, 59, 39, 19]
    assert clean.shape == (2, 5, 1, 4, 4)
    assert torch.allclose(clean, image[:, None].expand_as(clean), atol=2e-3)


def test_memory_bounds_the_images_at_once() -> None:
    """COPIES gradients in float32 of 35.7 million weights are 0.4 GiB an image."""
    assert gradients.images_at_once(35_746_307, 2.0) == 5
    assert gradients.images_at_once(35_746_307, 40.0) == gradients.MOST
    assert gradients.images_at_once(1000, 2.0) == gradients.MOST
    with pytest.raises(UserError, match=r"gradients\.memory: found 0\.1 GiB, expected at least 0\.4 for one image"):
        gradients.images_at_once(35_746_307, 0.1)


GROWTH = '''
import sys
from pathlib import Path
import torch
from diffusion_credit.base.lean import import_lean
import_lean(["diffusers"])
from diffusion_credit.baselines import gradients, projection
from diffusion_credit.models.checkpoints import build
from diffusion_credit.models.networks import dit, unet
from test_gradients import DIFFUSION

def peak() -> int:
    """In KiB, of this program: `ru_maxrss` would be that of the process that started it, where that is larger."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])


torch.set_num_threads(1)
options = unet.Options(kind="unet", channels=[64, 128], layers_per_block=1, norm_groups=4).model_dump()
model = build(unet.architecture(options, (1, 4, 4)), 0, {}).eval()
per_image = gradients.PerImage(model, unet.denoiser(model, {}, {}, 1), DIFFUSION, "loss")
images, memory = int(sys.argv[1]), float(sys.argv[2])
size = gradients.images_at_once(per_image.count, memory)
before = peak()
for start in range(0, images, size):
    x = torch.zeros(min(size, images - start), 1, 4, 4)
    blocks, _ = per_image(x, torch.ones(len(x), 4, 1, 4, 4), [0, 20, 40, 60], 2)
    projection.project(blocks, 256, 1)
    del blocks
print((peak() - before) / 2**20)
'''


def test_the_stated_memory_is_what_gradients_take_however_many_images() -> None:
    """2.5 million weights in processes of their own: the peak follows `memory`, not the number of images."""

    def grown(images: int, memory: float) -> float:
        command = [sys.executable, "-c", GROWTH, str(images), str(memory)]
        paths = [str(Path(__file__).parent), *sys.path]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    few, many, larger = grown(30, 0.4), grown(120, 0.4), grown(60, 0.8)
    assert max(few, many) < 0.4 + 0.2 and larger < 0.8 + 0.2  # for all else, and what the allocator keeps
    assert larger > 1.2 * many  # one copy of 120 gradients at once would be 1.1 GiB
