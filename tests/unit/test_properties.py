"""Properties against torchmetrics, hand-computed numbers and invariants."""

import numpy as np
import pytest
import torch
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore

from diffusion_credit.properties import cluster_entropy, fid, inception_score


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
