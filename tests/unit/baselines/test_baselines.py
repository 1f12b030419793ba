"""Baselines: reductions and similarities by hand and against SciPy, planted truths, and a choice that is not told."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.datasets import load_digits

from diffusion_credit.base.tables import Subsets
from diffusion_credit.baselines import gradients, kernels, projection
from diffusion_credit.baselines.methods import elbo, own_score, similarity
from diffusion_credit.baselines.methods import gradients as family
from diffusion_credit.baselines.tuning import choose, chosen_estimate
from diffusion_credit.baselines.variants import by_contributor, read_variants, variants, write_variants
from diffusion_credit.credit.attribution import estimate
from diffusion_credit.credit.utilities import split
from diffusion_credit.data.images import to_float
from diffusion_credit.models.checkpoints import build
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.networks import unet
from diffusion_credit.models.optimising import checkpoint_steps
from diffusion_credit.models.options import Training
from diffusion_credit.models.training import train
from diffusion_credit.subsets import design
from diffusion_credit.subsets.history import History
from diffusion_credit.subsets.reserved import Reserved

OWNER = np.array([0, 1, 1, 2, 0])


def test_scores_are_reduced_over_images_and_contributors_as_named() -> None:
    scores = np.array([[1.0, 2, 3, 4, 5], [5.0, 1, 0, -4, 2], [0.0, 0, 9, 3, 2]])
    found = by_contributor([scores[:2], scores[2:]], OWNER, 3)
    # over the three generated images: means 2, 1, 4, 1, 3 and maxima 5, 2, 9, 4, 5
    expected = {"mean": {"sum": [5, 5, 1], "mean": [2.5, 2.5, 1]}, "max": {"sum": [10, 11, 4], "mean": [5, 5.5, 4]}}
    for over, each in expected.items():
        for how, values in each.items():
            np.testing.assert_allclose(found[f"{over} over generated images, {how}"], values)
    assert len(found) == 4


def test_an_own_score_is_reduced_over_the_contributors_images() -> None:
    found = variants(own_score, {"of": "aesthetic"}, {"data": {"aesthetic": np.array([1.0, 2, 3, 4, 6])}}, OWNER, 3)
    expected = {"sum": [7, 5, 4], "mean": [3.5, 2.5, 4], "max": [6, 3, 4]}
    for how, values in expected.items():
        np.testing.assert_allclose(found[how][0], values)


def test_what_unlearning_takes_from_images_is_credited() -> None:
    """Negative bounds of two images by the full model and by three models without somebody (GUDA)."""
    sources = {"full": np.array([10.0, 20.0]), "without": np.array([[13.0, 21.0], [9.0, 20.0], [11.0, 28.0]])}
    found = variants(elbo, {}, sources, OWNER, 3)
    assert {name: values.tolist() for name, (values, _) in found.items()} == {
        "mean over generated images": [2.0, -0.5, 4.5],
        "max over generated images": [3.0, 0.0, 8.0],
    }


def test_similarities_equal_scipys_distances() -> None:
    from scipy.spatial.distance import cdist

    rng = np.random.default_rng(0)
    data, generated = rng.standard_normal((5, 7)), rng.standard_normal((150, 7))  # more than are scored at once
    sources = {"data": {"features": data}, "generated": {"features": generated}}
    expected = {
        "cosine": 1 - cdist(generated, data, "cosine"),
        "distance": -cdist(generated, data),
        "dot": generated @ data.T,
    }
    for measure, matrix in expected.items():
        found = variants(similarity, {"measure": measure}, sources, OWNER, 3)
        for name, values in by_contributor([matrix], OWNER, 3).items():
            np.testing.assert_allclose(found[name][0], values)


def test_variants_survive_the_file(tmp_path: Path) -> None:
    values = {"mean, damping 0.1": np.array([1.5, -2e-9]), 'max "x"': np.array([0.1, 3.0])}
    write_variants(tmp_path / "v.csv", ["a,b", "c"], {name: (v, {}) for name, v in values.items()})
    found = read_variants(tmp_path / "v.csv")
    assert list(found) == list(values)
    for name, expected in values.items():
        np.testing.assert_array_equal(found[name], expected)


def tuning_table(values: np.ndarray, members: np.ndarray) -> Subsets:
    count, n = members.shape
    names = [f"c{i}" for i in range(n)]
    return Subsets(names, [f"s{i}" for i in range(count)], [0] * count, [0] * count, members, values)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_the_variant_with_the_best_rank_correlation_is_chosen(higher_is_better: bool) -> None:
    rng = np.random.default_rng(0)
    members, truth = rng.random((40, 6)) < 0.5, rng.standard_normal(6)
    values = (members @ truth + 0.3 * rng.standard_normal(40)) * (1 if higher_is_better else -1)
    variants = {"noise": rng.standard_normal(6), "truth": truth, "reversed": -truth, "constant": np.zeros(6)}
    table = tuning_table(values, members)
    assert choose(variants, table, higher_is_better) == "truth"
    scores = {name: stats.spearmanr(members @ v, values).statistic for name, v in variants.items() if v.any()}
    assert max(scores, key=lambda name: scores[name] * (1 if higher_is_better else -1)) == "truth"
    # sums of the estimate rank as the property does, whichever way is up
    found = chosen_estimate(variants, table, higher_is_better)
    assert found.fit == "truth" and found.interval is None
    assert stats.spearmanr(members @ found.value, values).statistic > 0.8


@pytest.mark.parametrize("n", [8, 10, 20])
def test_no_tuning_subset_is_ever_held_out(n: int) -> None:
    """Whatever the numbers of either: they come from two halves of all subsets of a size."""
    names, sizes = [f"c{i}" for i in range(n)], [n // 2, n // 4 or 1]
    reserved = Reserved(n, sizes, 7)
    for size in sizes:
        for count in (2, 4):
            tuning = design.tuning(names, 7, size, count, reserved).members
            held_out = design.held_out(History([names]), 7, size, count, 2, reserved).members
            assert not {row.tobytes() for row in tuning} & {row.tobytes() for row in held_out}
            assert (tuning.sum(axis=1) == size).all() and len(np.unique(tuning, axis=0)) == count
    short, long = (design.tuning(names, 7, n // 2, count, reserved).members for count in (3, 6))
    assert (long[:3] == short).all()


def test_without_tops_are_the_models_of_a_counterfactual() -> None:
    names, orders = [f"c{i}" for i in range(5)], {"one": [3, 1, 0, 2, 4], "other": [0, 4, 1, 2, 3]}
    found = design.without_tops(names, 3, orders, 0.4, 2)
    assert found.names == ["one-0", "one-1", "other-0", "other-1"]
    alone = design.counterfactual(names, 3, orders["other"], 0.4, 2)
    assert (found.members[2:] == alone.members[:2]).all() and found.seed[2:] == alone.seed[:2]
    assert found.members[0].tolist() == [True, False, True, False, True]


# Planted truth: five contributors of 30 images. "copied": its images are the generated ones. "noise": uniform noise.
# "blank": one grey picture, 30 times, which the network predicts without error, so that it has nothing to answer for.
PLANTED = ["copied", "one", "seven", "noise", "blank"]
PER = 30
DIFFUSION = dict(timesteps=1000, schedule="squaredcos_cap_v2", beta_start=1e-4, beta_end=0.02, prediction="sample")
TRAINING = Training(steps=300, batch_size=32, learning_rate=3e-3, ema_decay=0.98).model_dump()


@cache
def planted_pixels() -> np.ndarray:
    digits = load_digits()

    def of(label: int) -> np.ndarray:
        return np.rint(digits.images[digits.target == label][:PER] * (255 / 16)).astype(np.uint8)[..., None]

    noise = np.random.default_rng(0).integers(0, 256, (PER, 8, 8, 1)).astype(np.uint8)
    return np.concatenate([of(0), of(1), of(7), noise, np.full((PER, 8, 8, 1), 128, np.uint8)])


@cache
def planted_model() -> Any:
    options = unet.Options(kind="unet", channels=[16], layers_per_block=1, norm_groups=4).model_dump()
    model = build(unet.architecture(options, (1, 8, 8)), 0, {})
    images = torch.from_numpy(to_float(planted_pixels()))
    inputs, everyone = Inputs(images, None, {}, None, None, "d"), np.arange(len(images))
    with TemporaryDirectory() as folder:
        state = Path(folder) / "state.safetensors"
        train(model, unet.denoiser(model, {}, {}, 1), inputs, everyone, DIFFUSION, TRAINING, 1, state, "key")
    return model.eval()


@cache
def planted_gradients(output: str) -> dict[str, Any]:
    model, images = planted_model(), torch.from_numpy(to_float(planted_pixels()))
    per_image = gradients.PerImage(model, unet.denoiser(model, {}, {}, 1), DIFFUSION, output)
    at = gradients.timesteps(1000, 10, "even")

    def of(clean: torch.Tensor, seed: int) -> dict[str, np.ndarray]:
        noise = torch.randn(len(clean), 10, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
        parts = [per_image(x, e, at, 10) for x, e in zip(clean.split(50), noise.split(50), strict=True)]
        features = [projection.project(blocks, 2048, 3) for blocks, _ in parts]
        errors = [error for _, error in parts]
        return {"features": torch.cat(features).numpy(), "error": torch.cat(errors).numpy()}

    return {"gradients": {"00": {"data": of(images, 1), "generated": of(images[:PER], 2)}}}


def planted(found: Any, name: str = "mean over generated images, sum") -> dict[str, float]:
    return dict(zip(PLANTED, found[name][0], strict=True))


@pytest.mark.parametrize("measure", ["cosine", "dot", "distance"])
def test_similarity_sees_what_was_copied_and_what_is_noise(measure: str) -> None:
    flat = planted_pixels().reshape(5 * PER, -1) / 127.5 - 1
    sources = {"data": {"features": flat}, "generated": {"features": flat[:PER]}}
    found = planted(variants(similarity, {"measure": measure}, sources, np.repeat(range(5), PER), 5))
    assert max(found, key=lambda name: found[name]) == "copied"
    if measure == "distance":  # grey is the average picture: near to everything, yet by angle and product to nothing
        assert min(found, key=lambda name: found[name]) == "noise"
    else:
        assert max(found["noise"], found["blank"]) < 0.2 * min(found["copied"], found["one"], found["seven"])


@pytest.mark.parametrize("output", ["loss", "squared_l2", "mean"])
@pytest.mark.parametrize("score", ["cosine", "trak", "relative_if", "renormalized_if", "das"])
def test_the_gradient_family_sees_what_was_copied(output: str, score: str) -> None:
    """TRAK and D-TRAK, influence functions, DAS and the cosine do. The plain product of `squared_l2` and `mean` need
    not: it ranks by the length of gradients."""
    options = {"score": score, "damping": [0.1]}
    found = planted(
        variants(family, {**options, "along": "images"}, planted_gradients(output), np.repeat(range(5), PER), 5),
        "mean over generated images, sum" + ("" if score in kernels.PLAIN else ", damping 0.1"),
    )
    others = sorted(found.values())[:-1]
    assert max(found, key=lambda name: found[name]) == "copied"
    if score != "cosine":  # which does not take the other images' gradients into account
        assert found["copied"] > 2 * others[-1]
    if score == "das":  # weighs by the error of the prediction, which blank has none of
        assert found["blank"] < 0.05 * found["copied"]
    if score == "trak":
        assert abs(found["noise"]) < 0.2 * found["copied"] and abs(found["blank"]) < 0.2 * found["copied"]


@pytest.mark.parametrize("kind", ["leave-one-out", "add-one-in", "banzhaf", "ridge", "paper", "exact"])
def test_removal_sees_what_was_copied_and_who_has_no_influence(kind: str) -> None:
    """F: copied adds 1, one and seven .2 together, noise takes .1 away, blank changes nothing; 32 subsets, twice."""
    members = np.array([[bool(i >> j & 1) for j in range(5)] for i in range(32)] * 2)
    copied, one, seven, noise, _ = members.T
    values = 1.0 * copied + 0.2 * (one & seven) - 0.1 * noise + 1e-3 * np.random.default_rng(0).standard_normal(64)
    table = Subsets(PLANTED, [str(i) for i in range(64)], [0] * 64, [0] * 64, members, values)
    found = dict(zip(PLANTED, estimate(split(table), {"kind": kind}).value, strict=True))
    assert max(found, key=lambda name: found[name]) == "copied"
    assert min(found, key=lambda name: found[name]) == "noise"
    assert abs(found["blank"]) < 5e-3


def test_checkpoints_lie_evenly_before_the_end() -> None:
    assert checkpoint_steps(800, 3) == [200, 400, 600]
    assert checkpoint_steps(4, 3) == [1, 2, 3]
    assert checkpoint_steps(10, 0) == []
