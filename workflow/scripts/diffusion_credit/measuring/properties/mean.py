"""Mean of a score that the extractor gives each image, such as CLIP's agreement with a prompt (CLIPScore)."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import PropertySection


class Options(PropertySection):
    """The mean of a score that a network gives each generated image."""

    kind: Literal["mean"]
    extractor: str = Field(description="Name of an extractor that gives the score.")
    of: str = Field(description="Name of the score.")


def evaluate(features: dict[str, np.ndarray], options: dict[str, Any], reference: dict[str, np.ndarray]) -> float:
    """The mean, in the score's units."""
    return float(features[options["of"]].mean(dtype=np.float64))
