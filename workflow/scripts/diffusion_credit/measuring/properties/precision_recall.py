"""Improved precision and recall: how many images of one set lie where the other set is dense.

Source: Kynkaanniemi et al., arXiv 1904.06991, equations 1 and 2, with k = 3. A set's region is the union of balls
around its images, each reaching to the k-th nearest other image of the set. Both depend on the numbers of images.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import PropertySection

ROWS = 256  # of the matrix of distances at once


class Options(PropertySection):
    """The share of generated images that lie where the reference is (precision), or the other way round (recall)."""

    compares: ClassVar[bool] = True

    kind: Literal["precision_recall"]
    extractor: str = Field(description="Name of the extractor whose features are compared.")
    which: Literal["precision", "recall"] = Field(description="Whether the property is precision or recall.")
    neighbours: int = Field(
        default=3, ge=1, description="The ball around an image reaches to its nearest other image of this rank."
    )
    reference: Literal["data", "full"] = Field(
        default="data", description="The reference: the training data, or the full model's images."
    )


def fit(features: dict[str, np.ndarray], options: dict[str, Any], seed: int) -> dict[str, np.ndarray]:
    """The reference's features (images, d) and the squared radius of the ball around each (images,)."""
    x = features["features"]
    return {"features": x, "squared_radii": _squared_radii(x, options["neighbours"])}


def evaluate(features: dict[str, np.ndarray], options: dict[str, Any], reference: dict[str, np.ndarray]) -> float:
    """The share, 0 to 1, of generated images in the reference's region, or the other way round."""
    x, y = features["features"], reference["features"]
    if options["which"] == "precision":
        return _share_inside(x, y, reference["squared_radii"])
    return _share_inside(y, x, _squared_radii(x, options["neighbours"]))


def _share_inside(x: np.ndarray, centres: np.ndarray, squared_radii: np.ndarray) -> float:
    inside = [(squared <= squared_radii).any(axis=1) for squared in _squared_distances(x, centres)]
    return float(np.concatenate(inside).mean())


def _squared_radii(x: np.ndarray, neighbours: int) -> np.ndarray:
    """Squared distance (images,) to the nearest other image of a rank. Raises UserError when there are too few."""
    if len(x) <= neighbours:
        raise UserError(f"precision_recall: found {len(x)} images, expected more than neighbours = {neighbours}")
    # each image is its own nearest, at rank 0
    return np.concatenate([np.partition(s, neighbours, axis=1)[:, neighbours] for s in _squared_distances(x, x)])


def _squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[np.ndarray]:
    """Blocks of rows of the (len(x), len(y)) matrix."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    lengths = (y**2).sum(axis=1)
    for start in range(0, len(x), ROWS):
        part = x[start : start + ROWS]
        yield (part**2).sum(axis=1)[:, None] - 2 * part @ y.T + lengths
