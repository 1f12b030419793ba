"""Feature extractors. To add one: a module here that is an `Extractor`, and its name in both lists below.

Where packages beyond the default installation decide the result, it has `PACKAGES`: package -> extra that brings it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from diffusion_credit.base.options import ExtractorSection

EXTRACTORS = ("classifier", "efficientnet_lite0", "inception", "clip", "blip")


class Extractor(Protocol):
    """What a module of this package holds."""

    @property
    def Options(self) -> "type[ExtractorSection]":
        """The extractor's section of the configuration, which says what arrays it gives."""

    def load(
        self, options: dict[str, Any], folder: Any, weights: dict[str, Path], device: str
    ) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
        """A function from uint8 images (images, height, width, channels) to named arrays (images, ...).

        folder: what `fit` made, or None. weights: manifest of each of the study's `weights` that it uses.
        """


class FittedExtractor(Extractor, Protocol):
    """An extractor that learns from the study's images; its `Options.fitted` is True."""

    def fit(
        self,
        options: dict[str, Any],
        pixels: np.ndarray,
        owner: np.ndarray,
        classes: int,
        seed: int,
        folder: Path,
    ) -> dict[str, Any]:
        """Make in `folder`, announced by a manifest, what `load` takes; return metrics.

        pixels: uint8 (images, height, width, channels). owner: (images,), each below `classes`.
        """


if TYPE_CHECKING:  # mypy compares each with the protocol
    from diffusion_credit.measuring.extractors import blip, classifier, clip, efficientnet_lite0, inception

    _: list[Extractor] = [efficientnet_lite0, inception, clip, blip]
    __: FittedExtractor = classifier
