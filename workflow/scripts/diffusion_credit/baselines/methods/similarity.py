"""How similar a contributor's images are to the generated ones: in pixels, or in the features of an extractor."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import BaselineSection
from diffusion_credit.baselines.kernels import scores, unit
from diffusion_credit.baselines.methods import Candidates

ROWS = 64  # of the matrix of distances at once


class Options(BaselineSection):
    """How similar the contributor's images are to the images that the full model draws."""

    kind: Literal["similarity"]
    extractor: str | None = Field(
        default=None, description="Name of the extractor whose features are compared. Without it pixels are compared."
    )
    measure: Literal["cosine", "dot", "distance"] = Field(
        default="cosine", description="Cosine, inner product (`dot`), or Euclidean distance with its sign turned."
    )

    def sources(self) -> dict[str, tuple[str, str]]:
        stage = f"features/{self.extractor}" if self.extractor else "images"
        return {"data": (stage, "data"), "generated": (stage, "full")}


def matrix(options: dict[str, Any], sources: dict[str, Any], sets: Sequence[str]) -> Candidates:
    """One matrix of similarities, because this method has no variants."""
    data, measure = sources["data"]["features"], options["measure"]
    if measure == "distance":
        yield "", {of: _distances(sources[of]["features"], data) for of in sets}, {}
    else:
        weighted = unit(data) if measure == "cosine" else data
        yield "", {of: scores(measure, sources[of]["features"], weighted) for of in sets}, {}


def _distances(queries: np.ndarray, data: np.ndarray) -> Iterator[np.ndarray]:
    """Euclidean distances with their sign turned, (some queries, images) after each other."""
    from scipy.spatial.distance import cdist

    for start in range(0, len(queries), ROWS):
        part = queries[start : start + ROWS]
        yield -np.concatenate([cdist(part, data[at : at + ROWS]) for at in range(0, len(data), ROWS)], axis=1)
