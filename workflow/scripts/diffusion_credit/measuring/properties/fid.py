"""Frechet distance between two sets of features, each taken as a Gaussian.

Source: Heusel et al., GANs Trained by a Two Time-Scale Update Rule, arXiv 1706.08500, equation 6. On features
other than Inception's pool3 it is not comparable with published FIDs.
"""

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import PropertySection


class Options(PropertySection):
    """The Frechet distance (FID) between generated and reference images, by statistics of their features; 0 is none."""

    higher_is_better: ClassVar[bool] = False
    compares: ClassVar[bool] = True

    kind: Literal["fid"]
    extractor: str = Field(description="Name of the extractor whose features are compared.")
    reference: Literal["data", "full"] = Field(
        default="data", description="Compared with the training data or the full model's images."
    )


def fit(features: dict[str, np.ndarray], options: dict[str, Any], seed: int) -> dict[str, np.ndarray]:
    """Mean (d,) and covariance (d, d) of the reference."""
    x = features["features"].astype(np.float64)
    return {"mean": x.mean(axis=0), "covariance": np.cov(x, rowvar=False)}


def evaluate(features: dict[str, np.ndarray], options: dict[str, Any], reference: dict[str, np.ndarray]) -> float:
    """The squared distance, 0 for equal Gaussians."""
    return distance(fit(features, options, 0), reference)


def distance(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> float:
    """Squared Frechet distance of two Gaussians.

    The trace of the square root of the product of two covariances is the sum of the square roots of its
    eigenvalues, which equal those of the symmetric root(a) b root(a): real, also when a is singular.
    """
    values, vectors = np.linalg.eigh(a["covariance"])
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ b["covariance"] @ root)
    cross = 2 * np.sqrt(np.clip(shared, 0, None)).sum()
    gap = a["mean"] - b["mean"]
    squared = gap @ gap + np.trace(a["covariance"]) + np.trace(b["covariance"]) - cross
    return max(0.0, float(squared))  # rounding can leave equal Gaussians a hair below zero
