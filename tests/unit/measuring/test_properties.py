"""Properties against torchmetrics, scikit-learn, clean-fid, hand-computed numbers and invariants."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import announce
from diffusion_credit.measuring.features import extract, read_features
from diffusion_credit.measuring.properties import (
    cluster_entropy,
    fid,
    inception_score,
    kid,
    mean,
    percentile,
    precision_recall,
)


class Passing(nn.Module):
    """An extractor for torchmetrics that takes the features themselves as the images."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(len(x), -1).double()


def test_fid_equals_torchmetrics() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(400, 12)) @ rng.normal(size=(12, 12)), rng.normal(0.3, 1.5, size=(300, 12))
    metric = FrechetInceptionDistance(feature=Passing(12), input_img_size=(3, 2, 2), normalize=True)
    metric.set_dtype(torch.float64)
    metric.update(torch.from_numpy(a).reshape(400, 3, 2, 2), real=True)
    metric.update(torch.from_numpy(b).reshape(300, 3, 2, 2), real=False)
    ours = fid.evaluate({"features": b}, {}, fid.fit({"features": a}, {}, 0))
    assert ours == pytest.approx(metric.compute().item(), rel=1e-6)


def test_fid_of_known_gaussians() -> None:
    # one dimension: (m1 - m2)^2 + (s1 - s2)^2, here with exact means and variances 0, 1 and 3, 4
    a, b = np.array([[-1.0], [0], [1]]), np.array([[1.0], [3], [5]])
    assert fid.evaluate({"features": b[:, [0, 0]]}, {}, fid.fit({"features": a[:, [0, 0]]}, {}, 0)) == pytest.approx(
        18 + 2 * (2 - 1) ** 2
    )
    x = {"features": np.random.default_rng(1).normal(size=(50, 8))}
    assert fid.evaluate(x, {}, fid.fit(x, {}, 0)) == pytest.approx(0, abs=1e-9)


def test_fid_with_fewer_images_than_features_is_finite() -> None:
    rng = np.random.default_rng(2)
    few, many = {"features": rng.normal(size=(5, 20))}, {"features": rng.normal(size=(100, 20))}
    assert fid.evaluate(few, {}, fid.fit(many, {}, 0)) > 0


def test_inception_score_equals_torchmetrics() -> None:
    logits = np.random.default_rng(3).normal(size=(200, 10)) * 3
    metric = InceptionScore(feature=Passing(10), splits=1)
    metric.update(torch.from_numpy(logits).reshape(200, 10, 1, 1))
    expected = metric.compute()[0].item()
    features = {"probabilities": torch.from_numpy(logits).softmax(1).numpy()}
    assert inception_score.evaluate(features, {"splits": 1}, {}) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("probabilities", "expected"), [(np.eye(4), 4.0), (np.full((6, 4), 0.25), 1.0)])
def test_inception_score_of_extreme_cases(probabilities: np.ndarray, expected: float) -> None:
    assert inception_score.evaluate({"probabilities": probabilities}, {"splits": 1}, {}) == pytest.approx(expected)


def test_inception_score_of_splits_is_their_mean() -> None:
    p = np.vstack([np.eye(4), np.full((4, 4), 0.25)])
    assert inception_score.evaluate({"probabilities": p}, {"splits": 2}, {}) == pytest.approx((4 + 1) / 2)


def test_cluster_entropy_by_hand() -> None:
    blobs = np.repeat([[0.0, 0], [10, 0], [0, 10], [10, 10]], 25, axis=0)
    blobs = blobs + np.random.default_rng(4).normal(0, 0.1, blobs.shape)
    reference = cluster_entropy.fit({"features": blobs}, {"clusters": 4}, 0)
    assert sorted(map(tuple, reference["centres"].round())) == [(0, 0), (0, 10), (10, 0), (10, 10)]
    entropy = lambda x: cluster_entropy.evaluate({"features": np.array(x, float)}, {}, reference)  # noqa: E731
    assert cluster_entropy.evaluate({"features": blobs}, {}, reference) == pytest.approx(np.log(4))
    assert entropy([[1, 1], [0, 1]]) == 0
    # shares 1/2, 1/4, 1/4
    assert entropy([[0, 0], [1, 0], [9, 0], [0, 9]]) == pytest.approx(1.5 * np.log(2))


def two_sets(a: int, b: int, width: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    return rng.normal(size=(a, width)) @ rng.normal(size=(width, width)), rng.normal(0.3, 1.5, size=(b, width))


def kid_of(generated: np.ndarray, reference: np.ndarray) -> float:
    return kid.evaluate({"features": generated}, {}, kid.fit({"features": reference}, {}, 0))


def test_kid_equals_torchmetrics_on_the_whole_sets() -> None:
    a, b = two_sets(300, 300)  # more rows than one block of the kernel matrix
    metric = KernelInceptionDistance(feature=Passing(12), subsets=1, subset_size=300)
    metric.set_dtype(torch.float64)
    metric.update(torch.from_numpy(a).reshape(300, 3, 2, 2), real=True)
    metric.update(torch.from_numpy(b).reshape(300, 3, 2, 2), real=False)
    assert kid_of(b, a) == pytest.approx(metric.compute()[0].item(), rel=1e-6)


def test_kid_of_sets_of_different_size_by_hand() -> None:
    x, y = two_sets(5, 3, 2)

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / 2 + 1) ** 3

    def within(z: np.ndarray) -> float:
        return float(np.mean([kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]))

    expected = within(x) + within(y) - 2 * np.mean([kernel(a, b) for a in x for b in y])
    assert kid_of(x, y) == pytest.approx(expected, rel=1e-9)


def test_kid_has_expectation_0_for_one_distribution() -> None:
    rng = np.random.default_rng(6)
    values = [kid_of(*rng.normal(size=(2, 20, 3))) for _ in range(400)]
    assert abs(np.mean(values)) < 3 * np.std(values) / 20
    assert min(values) < 0 < max(values)


@pytest.fixture
def clean_fid(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """clean-fid's scores. Its module imports torchvision for networks that are not used here."""
    vision = ModuleType("torchvision")
    vision.models = MagicMock(inception=MagicMock(**{f"Inception{name}": nn.Module for name in "ACE"}))
    monkeypatch.setitem(sys.modules, "torchvision", vision)
    return importlib.import_module("cleanfid.fid")


def fid_of(generated: np.ndarray, reference: np.ndarray) -> float:
    return fid.evaluate({"features": generated}, {}, fid.fit({"features": reference}, {}, 0))


def test_fid_and_kid_equal_clean_fid(clean_fid: ModuleType) -> None:
    a, b = two_sets(280, 280)
    assert fid_of(b, a) == pytest.approx(clean_fid.fid_from_feats(a, b), rel=1e-6)
    assert kid_of(b, a) == pytest.approx(clean_fid.kernel_distance(a, b, num_subsets=1, max_subset_size=280), rel=1e-6)


@pytest.mark.filterwarnings("ignore:Matrix is singular")
def test_fid_equals_clean_fid_with_fewer_images_than_features_and_with_features_of_zeros(clean_fid: ModuleType) -> None:
    a, b = two_sets(60, 40, 90)
    assert fid_of(b, a) == pytest.approx(clean_fid.fid_from_feats(a, b), rel=1e-6)
    a, b = two_sets(400, 300)
    a[:, :3] = b[:, :3] = 0
    assert fid_of(b, a) == pytest.approx(clean_fid.fid_from_feats(a, b), rel=1e-6)


def test_kid_is_what_clean_fids_subsets_are_about(clean_fid: ModuleType) -> None:
    a, b = two_sets(300, 200)
    np.random.seed(0)  # noqa: NPY002 - clean-fid draws its subsets from the global generator
    drawn = [clean_fid.kernel_distance(a, b, num_subsets=1, max_subset_size=50) for _ in range(400)]
    assert np.std(drawn) > 0
    assert abs(kid_of(b, a) - np.mean(drawn)) < 4 * np.std(drawn) / 20


def precision_recall_of(generated: np.ndarray, reference: np.ndarray, neighbours: int = 3) -> list[float]:
    found = []
    for which in ("precision", "recall"):
        options = {"which": which, "neighbours": neighbours}
        fitted = precision_recall.fit({"features": reference}, options, 0)
        found.append(precision_recall.evaluate({"features": generated}, options, fitted))
    return found


def test_precision_and_recall_equal_those_from_scikit_learns_neighbours() -> None:
    from sklearn.metrics import pairwise_distances
    from sklearn.neighbors import NearestNeighbors

    reference, generated = two_sets(400, 300, 4)

    def share(x: np.ndarray, centres: np.ndarray) -> float:
        radii = NearestNeighbors(n_neighbors=3).fit(centres).kneighbors()[0][:, -1]  # without the image itself
        return float((pairwise_distances(x, centres) <= radii).any(axis=1).mean())

    expected = [share(generated, reference), share(reference, generated)]
    assert min(expected) > 0 and max(expected) < 1 and expected[0] != expected[1]
    assert precision_recall_of(generated, reference) == pytest.approx(expected, rel=1e-9)


def test_precision_and_recall_by_hand() -> None:
    line = np.array([[0.0, 0], [1, 0], [2, 0], [10, 0]])  # radii to the nearest other: 1, 1, 1, 8
    generated = np.array([[1.5, 0], [2, 0.9], [2.5, 2], [30, 0]])
    # the ball around (10, 0) reaches to (2, 0) and holds (2.5, 2) as well; nothing reaches (30, 0)
    precision, recall = precision_recall_of(generated, line, 1)
    assert precision == 3 / 4
    # radii of the generated: sqrt(1.06), sqrt(1.06), sqrt(1.46), > 27: the last one holds (10, 0)
    assert recall == 3 / 4
    assert precision_recall_of(line, line, 1) == [1, 1]
    assert precision_recall_of(line + 1000, line, 1) == [0, 0]


def test_precision_and_recall_need_more_images_than_neighbours() -> None:
    with pytest.raises(UserError, match="found 3 images, expected more than neighbours = 3"):
        precision_recall_of(np.eye(3), np.eye(3))


def test_scores_by_hand() -> None:
    features = {"aesthetic": np.array([5, 1, 4, 2, 3], dtype=np.float32), "prompt": np.array([0.0, 30, 60])}
    assert mean.evaluate(features, {"of": "prompt"}, {}) == 30
    for percent, expected in ((0, 1), (50, 3), (90, 4.6), (100, 5)):  # (5 - 1) * 0.9 = 3.6 steps up from 1
        assert percentile.evaluate(features, {"of": "aesthetic", "percent": percent}, {}) == pytest.approx(expected)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_features_that_are_not_finite_are_one_sentence_where_they_arise(tmp_path: Path, wrong: float) -> None:
    """A network in half precision overflows to these; what is made of them would be noise or a linear algebra error."""
    features = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    features[[2, 4], 1] = wrong
    images = {"everyone-0": ("digest", lambda: np.zeros((6, 8, 8, 1), dtype=np.uint8))}
    said = r"features of .*everyone-0: found 2 image\(s\) whose features are not finite, number 2 the first; expected"
    with pytest.raises(UserError, match=said):
        extract(images, tmp_path / "made", lambda: lambda _: {"features": features}, {"versions": {}})
    assert not list((tmp_path / "made").glob("*/features.safetensors"))
    folder = tmp_path / "older"  # as an earlier version has left them
    folder.mkdir()
    save_file({"features": features}, folder / "features.safetensors")
    announce(folder, ["features.safetensors"])
    with pytest.raises(UserError, match=r"features\.safetensors: found 2 image\(s\) whose features are not finite"):
        read_features(folder)
