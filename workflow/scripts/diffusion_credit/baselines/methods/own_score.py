"""A score of the contributor's own images, such as their aesthetic score."""

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import BaselineSection


class Options(BaselineSection):
    """A score of the contributor's own images."""

    scores: ClassVar[Literal["images"]] = "images"  # type: ignore[misc]

    kind: Literal["own_score"]
    extractor: str = Field(description="Name of an extractor that gives the score.")
    of: str = Field(description="Name of the score, such as `aesthetic`.")

    def sources(self) -> dict[str, tuple[str, str]]:
        return {"data": (f"features/{self.extractor}", "data")}


def own(options: dict[str, Any], sources: dict[str, Any]) -> np.ndarray:
    """The score of every training image (images,)."""
    found: np.ndarray = sources["data"][options["of"]]
    return found.astype(np.float64)
