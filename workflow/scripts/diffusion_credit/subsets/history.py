"""Who has taken part when. What is held out is drawn once, and changes only where somebody left or joined."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.seeds import named_seed
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
        for one, other in itertools.pairwise(contributors if changes else []):
            if one > other:
                raise UserError(
                    f"config: changes: found the contributor {one!r} before {other!r}, expected contributors in the"
                    " order of their names, as folders and tables have them"
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

    def avoided(self, reserved: Reserved, sizes: Iterable[int]) -> "Reserved | Kept":
        """What the designs of now avoid. reserved: subsets of the first contributors. sizes: of held-out subsets."""
        return reserved if len(self.stages) == 1 else Kept(self, -1, reserved, sizes, pairs=True)


class Kept:
    """The subsets that are kept for evaluation among the contributors of a stage: half of those of some sizes.

    Which ones is a matter of their members alone, so that it never changes: those that are reserved among the first
    contributors, and of subsets with somebody who has joined since, those of a half of all seeds.

    pairs: is a subset also meant whose complement is kept? Among the first, this is the same.
    """

    def __init__(
        self, history: History, stage: int, reserved: Reserved, sizes: Iterable[int], pairs: bool = False
    ) -> None:
        place = {name: i for i, name in enumerate(history.first)}
        self._names = np.array(history.stages[stage])
        self._places = np.array([place.get(name, -1) for name in self._names])
        self._reserved, self._sizes, self._pairs = reserved, set(sizes), pairs

    def __contains__(self, members: np.ndarray) -> bool:
        return self._holds(members) or (self._pairs and self._holds(~members))

    def count(self, size: int, enough: int | None = None) -> int:
        """How many subsets of one size are meant: about a half where there are very many. enough: where to stop."""
        n = len(self._names)
        if (total := math.comb(n, size)) > ENUMERABLE:
            return total // 2
        found = (chosen for chosen in itertools.combinations(range(n), size) if subset_of(n, chosen) in self)
        return sum(1 for _ in itertools.islice(found, enough))

    def _holds(self, members: np.ndarray) -> bool:
        if int(members.sum()) not in self._sizes:
            return False
        places = self._places[members]
        if (places < 0).any():
            return named_seed(self._reserved.seed, "held-out", *self._names[members].tolist()) % 2 == 0
        return subset_of(self._reserved.n, places) in self._reserved
