"""Baselines: credit without utilities, from training images and the full model alone.

To add one: a module here that is a `PairwiseBaseline` or an `OwnBaseline`, and its name in both lists below.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from diffusion_credit.base.options import BaselineSection

BASELINES = ("similarity", "own_score", "gradients")

# Name, set of explained images -> parts of the matrix, what to report; to be used up before the next is asked for
Candidates = Iterator[tuple[str, dict[str, Iterator[np.ndarray]], dict[str, Any]]]


class Baseline(Protocol):
    """What every module of this package holds."""

    @property
    def Options(self) -> "type[BaselineSection]":
        """The baseline's section of the configuration, which says what it is made from."""


class PairwiseBaseline(Baseline, Protocol):
    """A baseline that scores training images for each explained image; its `Options.explains` is True."""

    def matrix(self, options: dict[str, Any], sources: dict[str, Any], sets: Sequence[str]) -> Candidates:
        """Candidates for the scores of all training images for those of each set.

        sources: name -> what `Options.sources` asked for. Gives a name; for each set the parts of its matrix, each
        (some of the set, training images); and what to report.
        """


class OwnBaseline(Baseline, Protocol):
    """A baseline that scores training images by themselves; its `Options.explains` is False."""

    def own(self, options: dict[str, Any], sources: dict[str, Any]) -> np.ndarray:
        """The score of every training image (images,)."""


if TYPE_CHECKING:  # mypy compares each with the protocols
    from diffusion_credit.baselines.methods import gradients, own_score, similarity

    _: list[PairwiseBaseline] = [similarity, gradients]
    __: OwnBaseline = own_score
