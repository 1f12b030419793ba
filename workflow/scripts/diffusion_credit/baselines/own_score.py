"""A score of the contributor's own images, such as their aesthetic score."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.crediting import Variants, reduced
from diffusion_credit.options import BaselineSection


class Options(BaselineSection):
    """A score of the contributor's own images."""

    kind: Literal["own_score"]
    extractor: str = Field(description="Name of an extractor that gives the score.")
    of: str = Field(description="Name of the score, such as `aesthetic`.")

    def sources(self) -> dict[str, tuple[str, str]]:
        return {"data": (f"features/{self.extractor}", "data")}


def variants(options: dict[str, Any], sources: dict[str, Any], owner: np.ndarray, contributors: int) -> Variants:
    """Values by sum, average and maximum over the contributor's images."""
    found = sources["data"][options["of"]].astype(np.float64)
    return {how: (reduced(how, found, owner, contributors), {}) for how in ("mean", "max", "sum")}
