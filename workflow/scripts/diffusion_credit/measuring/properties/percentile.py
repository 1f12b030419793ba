"""A percentile of a score that the extractor gives each image, such as the 90th of the aesthetic score.

Source: ICLR 2025 'An Efficient Framework for Crediting Data Contributors of Diffusion Models' (quality on ArtBench).
"""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import PropertySection


class Options(PropertySection):
    """A percentile of a score that a network gives each generated image."""

    kind: Literal["percentile"]
    extractor: str = Field(description="Name of an extractor that gives the score.")
    of: str = Field(description="Name of the score, such as `aesthetic` of clip.")
    percent: float = Field(ge=0, le=100, description="Percent of the images that score no higher.")


def evaluate(features: dict[str, np.ndarray], options: dict[str, Any], reference: dict[str, np.ndarray]) -> float:
    """The percentile, in the score's units; interpolated between images."""
    return float(np.percentile(features[options["of"]].astype(np.float64), options["percent"]))
