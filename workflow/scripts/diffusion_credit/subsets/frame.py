"""What subsets are drawn from, and how any design avoids those that are reserved."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.subsets.groups import group_numbers
from diffusion_credit.subsets.history import Kept
from diffusion_credit.subsets.reserved import Reserved, subset_of

TRIES = 10_000


@dataclass(frozen=True)
class Frame:
    """What a design may depend on.

    n: contributors. seed: the study's. avoided: subsets that never come. alpha: share of the contributors (datamodel).
    groups: for each contributor the number of its group (Owen values), or empty.
    """

    n: int
    seed: int
    avoided: Reserved | Kept
    alpha: float = 0.5
    groups: list[int] = field(default_factory=list)


def frame_of(contributors: list[str], seed: int, avoided: Reserved | Kept, options: dict[str, Any]) -> Frame:
    """The frame of a design's options: alpha, and groups by name. Raises UserError on groups that do not divide."""
    groups = group_numbers(contributors, options["groups"]) if options.get("groups") else []
    return Frame(len(contributors), seed, avoided, options.get("alpha", 0.5), groups)


def shapley_sizes(n: int) -> np.ndarray:
    """P(|S| = k) for k = 1..n-1 under the Shapley kernel, proportional to (n - 1) / (k (n - k)): (n - 1,)."""
    k = np.arange(1, n)
    weight = (n - 1) / (k * (n - k))
    return weight / weight.sum()


def choice(rng: np.random.Generator, n: int, size: int) -> list[np.ndarray]:
    """A subset of one size, each equally likely."""
    return [subset_of(n, rng.choice(n, size=size, replace=False))]


def unreserved(frame: Frame, draw: Callable[[], list[np.ndarray]]) -> list[np.ndarray]:
    """The first draw without a reserved subset. Raises UserError when there seems to be none."""
    for _ in range(TRIES):
        rows = draw()
        if not any(members in frame.avoided for members in rows):
            return rows
    raise nothing_left()


def nothing_left() -> UserError:
    """The mistake of holding out all that a design could draw."""
    return UserError(
        "config: evaluation.lds.alphas: found sizes whose subsets are held out although the design needs them,"
        " expected other alphas or another design.kind"
    )
