"""Who has taken part when. What is held out is drawn once, and changes only where somebody left or joined."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.subsets.reserved import ENUMERABLE, Reserved, subset_of


@dataclass(frozen=True)
class History:
    """stages: the contributors at each time, the oldest first; the last are those of now."""

    stages: list[list[str]]

    @classmethod
    def of(cls, contributors: list[str], changes: Sequence[dict[str, Any]]) -> Self:
        """What became the contributors of now by changes, the oldest first; each says who `left` and who `joined`.

        Raises UserError where the changes do not lead to the contributors.
        """
        stages = [contributors]
        if changes and contributors != sorted(contributors):
            raise UserError(
                "config: changes: found contributors that are not sorted by name, expected a source of your own"
            )
        for number in range(len(changes) - 1, -1, -1):
            after, left, joined = set(stages[0]), set(changes[number]["left"]), set(changes[number]["joined"])
            for key, wrong, expected in (
                ("joined", joined - after, "somebody who takes part after that"),
                ("left", left & after, "somebody who does not take part after that"),
            ):
                if wrong:
                    raise UserError(f"config: changes.{number}.{key}: found {min(wrong)!r}, expected {expected}")
            stages.insert(0, sorted(after - joined | left))
        return cls(stages)

    @property
    def first(self) -> list[str]:
        """Who took part when the study began."""
        return self.stages[0]

    def joined(self) -> int:
        """How many who did not begin have come since."""
        return len({name for stage in self.stages for name in stage} - set(self.first))

    def places(self, stage: int) -> np.ndarray:
        """For each contributor of a stage its place among the first, or -1."""
        place = {name: i for i, name in enumerate(self.first)}
        return np.array([place.get(name, -1) for name in self.stages[stage]])

    def avoided(self, reserved: Reserved) -> "Reserved | Among":
        """What the designs of now avoid. reserved: subsets of the first contributors."""
        return reserved if len(self.stages) == 1 else Among(reserved, self.places(-1), pairs=True)


class Among:
    """Reserved subsets of the first contributors, told of other contributors: those who joined do not count.

    places: (n,) for each of the others its place among the first, or -1. pairs: is a subset also meant whose complement
    is reserved? Among the first, this is the same.
    """

    def __init__(self, reserved: Reserved, places: np.ndarray, pairs: bool = False) -> None:
        self._reserved, self._places, self._pairs = reserved, places, pairs

    def __contains__(self, members: np.ndarray) -> bool:
        return self._held(members) or (self._pairs and self._held(~members))

    def count(self, size: int) -> int:
        """How many subsets of one size are meant: counted, or about a half where there are very many."""
        n = len(self._places)
        if (total := math.comb(n, size)) > ENUMERABLE:
            return total // 2
        return sum(subset_of(n, chosen) in self for chosen in itertools.combinations(range(n), size))

    def _held(self, members: np.ndarray) -> bool:
        return subset_of(self._reserved.n, self._places[members & (self._places >= 0)]) in self._reserved
