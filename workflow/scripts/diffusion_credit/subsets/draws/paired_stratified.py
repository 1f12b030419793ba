"""Complementary pairs; sizes in the kernel's shares at every length; no repetition within a size; balanced players.

The size of pair j is where the golden-ratio sequence frac(j * 0.618...) falls in the kernel's distribution, which
fills it more evenly than random draws at every length.
"""

import itertools
import math
from collections.abc import Iterator
from functools import cache

import numpy as np

from diffusion_credit.base.seeds import generator
from diffusion_credit.subsets.frame import Frame, nothing_left, shapley_sizes
from diffusion_credit.subsets.reserved import subset_of

LISTED = 2_000  # up to so many pairs of one size are listed, and each draw takes the best balanced one that is left
VAIN = 500  # after so many vain attempts the subsets of a size count as exhausted


def stream(frame: Frame) -> Iterator[np.ndarray]:
    n = frame.n
    sizes = np.arange(1, n // 2 + 1)
    shares = shapley_sizes(n)[sizes - 1] * np.where(2 * sizes == n, 1, 2)
    start = generator(frame.seed, "design", "sizes").random()
    strata = cache(lambda size: Stratum(frame, size))  # of thousands of contributors most sizes never come
    edges = np.cumsum(shares)
    for pair in itertools.count():
        place = (start + pair * (math.sqrt(5) - 1) / 2) % 1 * edges[-1]
        first = strata(int(sizes[min(int(np.searchsorted(edges, place, side="right")), len(sizes) - 1)])).draw()
        yield first
        yield ~first


class Stratum:
    """Pairs of one size without repetition, each contributor about as often as every other."""

    def __init__(self, frame: Frame, size: int) -> None:
        self._frame, self._size = frame, size
        self._rng = generator(frame.seed, "design", "size", size)
        self._seen: set[bytes] = set()
        self._counts = np.zeros(frame.n)
        total = math.comb(frame.n, size) // (2 if 2 * size == frame.n else 1)
        self._listed = total <= LISTED
        self._left = np.empty((0, frame.n), dtype=bool)

    def draw(self) -> np.ndarray:
        """The next subset; its complement is the other half of the pair."""
        members = self._of_list() if self._listed else self._of_many()
        self._counts += members
        return members

    def _of_list(self) -> np.ndarray:
        if not len(self._left):
            n, size = self._frame.n, self._size
            every = [subset_of(n, chosen) for chosen in itertools.combinations(range(n), size)]
            free = [m for m in every if m not in self._frame.avoided and (2 * size < n or m[0])]
            if not free:
                raise nothing_left()
            self._left = self._rng.permutation(np.array(free))
        best = int(np.argmin(self._left @ self._counts))
        members = self._left[best]
        self._left = np.delete(self._left, best, axis=0)
        return members

    def _of_many(self) -> np.ndarray:
        for attempt in itertools.count():
            if attempt == VAIN:
                self._seen.clear()
            # the contributors that came least; ties, and after each vain attempt more and more, by chance
            order = np.argsort(self._counts + self._rng.random(self._frame.n) * (1 + attempt))
            members = subset_of(self._frame.n, order[: self._size])
            key = members.tobytes() if 2 * self._size < self._frame.n or members[0] else (~members).tobytes()
            if key not in self._seen and members not in self._frame.avoided:
                self._seen.add(key)
                return members
        raise AssertionError
