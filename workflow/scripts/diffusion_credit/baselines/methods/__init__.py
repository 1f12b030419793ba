"""Baselines: credit without utilities, from training images and the full model alone.

To add one: a module here that is one of the protocols below, and its name in both lists.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from diffusion_credit.base.options import BaselineSection

BASELINES = ("similarity", "own_score", "gradients", "elbo")

# Name, set of explained images -> parts of the matrix, what to report; to be used up before the next is asked for
Candidates = Iterator[tuple[str, dict[str, Iterator[np.ndarray]], dict[str, Any]]]


class Baseline(Protocol):
    """What every module of this package holds."""

    @property
    def Options(self) -> "type[BaselineSection]":
        """The baseline's section of the configuration, which says what it is made from."""


class PairwiseBaseline(Baseline, Protocol):
    """A baseline that scores training images for each explained image; its `Options.scores` is `pairs`."""

    def matrix(self, options: dict[str, Any], sources: dict[str, Any], sets: Sequence[str]) -> Candidates:
        """Candidates for the scores of all training images for those of each set.

        sources: name -> what `Options.sources` asked for. Gives a name; for each set the parts of its matrix, each
        (some of the set, training images); and what to report.
        """


class OwnBaseline(Baseline, Protocol):
    """A baseline that scores training images by themselves; its `Options.scores` is `images`."""

    def own(self, options: dict[str, Any], sources: dict[str, Any]) -> np.ndarray:
        """The score of every training image (images,)."""


class ModelBaseline(Baseline, Protocol):
    """A baseline that scores contributors for each generated image by models without them.

    Its `Options.scores` is `contributors`.
    """

    def differences(self, full: np.ndarray, without: np.ndarray) -> np.ndarray:
        """Scores (images, n) from what the full model and n models without one contributor say of generated images.

        full: (images,). without: (n, images).
        """


if TYPE_CHECKING:  # mypy compares each with the protocols
    from diffusion_credit.baselines.methods import elbo, gradients, own_score, similarity

    _: list[PairwiseBaseline] = [similarity, gradients]
    __: OwnBaseline = own_score
    ___: ModelBaseline = elbo
