"""Designs: how subsets are drawn, one endless stream of proper subsets each.

To add one: a module here that is a `Design`, named after its kind with _ for -, and its kind in both lists below. A
stream knows
nothing of how many rows will be taken from it, so a larger budget begins with the smaller one. Row i is a function of
the seed and i. Subsets that are reserved for evaluation never come. A stream that has run out of different subsets (or,
where there are thousands, nearly) starts again: the same subset once more is a further replicate, with a training seed
of its own.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from diffusion_credit.subsets.frame import Frame

DESIGNS = (
    "paired-stratified",
    "paper",
    "leverage",
    "uniform",
    "datamodel",
    "leave-one-out",
    "add-one-in",
    "permutation",
    "owen",
    "all",
    "active",
)

ACTIVE = "active"  # whose batches after the first are chosen from what was measured before


class Design(Protocol):
    """What a module of this package holds."""

    def stream(self, frame: "Frame") -> "Iterator[np.ndarray]":
        """Rows (n,) of bool without end. Raises UserError when the frame allows none."""


if TYPE_CHECKING:  # mypy compares each with the protocol
    from diffusion_credit.subsets.draws import (
        active,
        add_one_in,
        all,
        datamodel,
        leave_one_out,
        leverage,
        owen,
        paired_stratified,
        paper,
        permutation,
        uniform,
    )

    _: list[Design] = [paired_stratified, paper, leverage, uniform, datamodel, leave_one_out, add_one_in]
    __: list[Design] = [permutation, owen, all, active]
