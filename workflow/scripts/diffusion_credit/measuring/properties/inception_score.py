"""Inception Score: exp of the mean divergence of each image's class probabilities from their mean.

Source: Salimans et al., Improved Techniques for Training GANs, arXiv 1606.03498, section 4. Its value depends
on the classifier; scores of two extractors do not compare.
"""

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import PropertySection


class Options(PropertySection):
    """How surely a classifier names each generated image, and how many kinds it names in all; 1 is the least."""

    array: ClassVar[str] = "probabilities"
    kind: Literal["inception_score"]
    extractor: str = Field(description="Name of an extractor that gives class probabilities.")
    splits: int = Field(default=1, ge=1, description="The score is averaged over this many equal parts of the images.")


def evaluate(features: dict[str, np.ndarray], options: dict[str, Any], reference: dict[str, np.ndarray]) -> float:
    """The score, between 1 and the number of classes."""
    scores = []
    for part in np.array_split(features["probabilities"].astype(np.float64), options["splits"]):
        p = np.clip(part, np.finfo(np.float64).tiny, None)
        divergence = (part * (np.log(p) - np.log(p.mean(axis=0)))).sum(axis=1)
        scores.append(np.exp(divergence.mean()))
    return float(np.mean(scores))
