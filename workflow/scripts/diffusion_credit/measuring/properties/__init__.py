"""Properties: numbers that describe a whole model, computed from its generated images.

To add one: a module here that is a `Property`, and its name in both lists below.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from diffusion_credit.base.options import PropertySection

PROPERTIES = (
    "inception_score",
    "fid",
    "kid",
    "precision_recall",
    "cluster_entropy",
    "mean",
    "percentile",
    "own",
)


class Property(Protocol):
    """What a module of this package holds."""

    @property
    def Options(self) -> "type[PropertySection]":
        """The property's section of the configuration, with the key `extractor` if it is made from features."""

    def evaluate(self, features: Any, options: dict[str, Any], reference: dict[str, np.ndarray]) -> float:
        """The number. features: named arrays of all images, or what `read` gave. reference: what `fit` made, or {}."""


class ComparingProperty(Property, Protocol):
    """A property that compares with a reference; its `Options.compares` is True, and it has the key `reference`."""

    def fit(self, features: dict[str, np.ndarray], options: dict[str, Any], seed: int) -> dict[str, np.ndarray]:
        """Arrays made once, from the features of the data or of the full model's images."""


class ReadingProperty(Property, Protocol):
    """A property that is made from images instead of features; its `Options.reads` is `images`."""

    def read(self, folder: Path) -> Any:
        """What `evaluate` takes, from the entry of one model's images."""


if TYPE_CHECKING:  # mypy compares each with the protocol
    from diffusion_credit.measuring.properties import (
        cluster_entropy,
        fid,
        inception_score,
        kid,
        mean,
        own,
        percentile,
        precision_recall,
    )

    _: list[Property] = [inception_score, mean, percentile]
    __: list[ComparingProperty] = [fid, kid, precision_recall, cluster_entropy]
    ___: ReadingProperty = own
