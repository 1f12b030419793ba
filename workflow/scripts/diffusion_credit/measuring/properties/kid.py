"""Kernel distance between two sets of features: the unbiased squared maximum mean discrepancy, cubic kernel.

Source: Binkowski et al., Demystifying MMD GANs, arXiv 1801.01401, section 4: k(x, y) = (x.y / d + 1)^3. The estimate
is made from all images at once, so nothing is drawn; published scores are means over random subsets of 1,000, which
have the same expectation. It can be below 0. On features other than Inception's it does not compare with them.
"""

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import PropertySection

ROWS = 256  # of the kernel matrix at once


class Options(PropertySection):
    """The kernel distance (KID) between generated and reference images, by a kernel on their features; 0 is none."""

    higher_is_better: ClassVar[bool] = False
    compares: ClassVar[bool] = True

    kind: Literal["kid"]
    extractor: str = Field(description="Name of the extractor whose features are compared.")
    reference: Literal["data", "full"] = Field(
        default="data", description="Compared with the training data or the full model's images."
    )


def fit(features: dict[str, np.ndarray], options: dict[str, Any], seed: int) -> dict[str, np.ndarray]:
    """The reference's features (images, d), and the mean kernel of two different ones of them."""
    return {"features": features["features"], "within": np.array(_within(features["features"]))}


def evaluate(features: dict[str, np.ndarray], options: dict[str, Any], reference: dict[str, np.ndarray]) -> float:
    """The squared discrepancy; its expectation is 0 for equal distributions."""
    x, y = features["features"], reference["features"]
    return _within(x) + float(reference["within"]) - 2 * _sum(x, y) / (len(x) * len(y))


def _within(x: np.ndarray) -> float:
    """Mean of the kernel over all pairs of two different images."""
    same = ((x.astype(np.float64) ** 2).sum(axis=1) / x.shape[1] + 1) ** 3
    return float((_sum(x, x) - same.sum()) / (len(x) * (len(x) - 1)))


def _sum(x: np.ndarray, y: np.ndarray) -> float:
    """Sum of the kernel over all pairs."""
    transposed = y.astype(np.float64).T
    parts = (x[start : start + ROWS].astype(np.float64) for start in range(0, len(x), ROWS))
    return float(sum(((part @ transposed / x.shape[1] + 1) ** 3).sum() for part in parts))
