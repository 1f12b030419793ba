"""Entropy of the shares of a model's images in clusters that were made once, from a reference.

Source: ICLR 2025 'An Efficient Framework for Crediting Data Contributors of Diffusion Models' (diversity on
CelebA-HQ: 20 Ward clusters, natural logarithm). Its authors' code takes log2, and in place of Euclidean distances
max(x.y) - x.y, in Ward's linkage and to find the cluster whose images are nearest on average.
"""

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import PropertySection


class Options(PropertySection):
    """How evenly generated images spread over clusters of reference images, in nats; 0 is a single cluster."""

    compares: ClassVar[bool] = True

    kind: Literal["cluster_entropy"]
    extractor: str = Field(description="Name of the extractor whose features are clustered.")
    clusters: int = Field(default=20, ge=2, description="Number of Ward clusters.")
    reference: Literal["data", "full"] = Field(
        default="full", description="The clusters are made of the training data or of the full model's images."
    )


def fit(features: dict[str, np.ndarray], options: dict[str, Any], seed: int) -> dict[str, np.ndarray]:
    """Centres (clusters, d) of the Ward clusters of the reference features."""
    from scipy.cluster.hierarchy import fcluster, ward

    x = features["features"].astype(np.float64)
    label = fcluster(ward(x), options["clusters"], criterion="maxclust")
    return {"centres": np.stack([x[label == cluster].mean(axis=0) for cluster in np.unique(label)])}


def evaluate(features: dict[str, np.ndarray], options: dict[str, Any], reference: dict[str, np.ndarray]) -> float:
    """Entropy of the shares after each image joined its nearest centre; 0 to log(clusters)."""
    x, centres = features["features"].astype(np.float64), reference["centres"]
    squared = (x**2).sum(1)[:, None] - 2 * x @ centres.T + (centres**2).sum(1)[None]
    counts = np.bincount(squared.argmin(axis=1), minlength=len(centres))
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
