"""How similar a contributor's images are to the generated ones: in pixels, or in the features of an extractor."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.crediting import Variants, by_contributor
from diffusion_credit.kernels import scores, unit
from diffusion_credit.options import BaselineSection

ROWS = 64  # of the matrix of distances at once


class Options(BaselineSection):
    """Similarity of the contributor's images to the full model's."""

    kind: Literal["similarity"]
    extractor: str | None = Field(
        default=None, description="Name of the extractor whose features are compared; none: the pixels are."
    )
    measure: Literal["cosine", "dot", "distance"] = Field(
        default="cosine", description="Cosine, inner product, or Euclidean distance with its sign turned."
    )

    def sources(self) -> dict[str, tuple[str, str]]:
        stage = f"features/{self.extractor}" if self.extractor else "images"
        return {"data": (stage, "data"), "generated": (stage, "full")}


def variants(options: dict[str, Any], sources: dict[str, Any], owner: np.ndarray, contributors: int) -> Variants:
    """Values by average and maximum over generated images, and by sum and average over the contributor's."""
    data, generated = sources["data"]["features"], sources["generated"]["features"]
    if options["measure"] == "distance":
        found = _distances(generated, data)
    else:
        weighted = unit(data) if options["measure"] == "cosine" else data
        found = scores(options["measure"], generated, weighted)
    return {name: (values, {}) for name, values in by_contributor(found, owner, contributors).items()}


def _distances(queries: np.ndarray, data: np.ndarray) -> Iterator[np.ndarray]:
    """Euclidean distances with their sign turned, (some queries, images) after each other."""
    from scipy.spatial.distance import cdist

    for start in range(0, len(queries), ROWS):
        part = queries[start : start + ROWS]
        yield -np.concatenate([cdist(part, data[at : at + ROWS]) for at in range(0, len(data), ROWS)], axis=1)
