"""The subsets that are kept for evaluation, by a rule that needs neither list: half of all pairs of some sizes."""

import hashlib
import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np

ENUMERABLE = 50_000  # up to so many subsets of one size are ranked; beyond, half the hash range is half of them


def subset_of(n: int, chosen: Sequence[int] | np.ndarray) -> np.ndarray:
    """The subset of these contributors: (n,) bool."""
    members = np.zeros(n, dtype=bool)
    members[list(chosen)] = True
    return members


def reserved_count(n: int, size: int) -> int:
    """How many subsets of one size are reserved: half, and always a subset together with its complement."""
    return 2 * (math.comb(n, size) // 4) if 2 * size == n else math.comb(n, size) // 2


class Reserved:
    """Membership of the reserved half of the subsets of some sizes, and of the complements of that half.

    A subset is reserved with its complement, so designs of complementary pairs lose whole pairs; what is left is
    then as balanced as before for every game of pairwise interactions. Which half depends on the seed alone, not on
    how many held-out subsets are used.

    n: contributors. sizes: sizes of which a half is reserved.
    """

    def __init__(self, n: int, sizes: Iterable[int], seed: int) -> None:
        self.n, self.seed = n, seed
        self.sizes = {side for size in sizes for side in (size, n - size)}  # of which some are reserved
        self._cut: dict[int, int] = {}
        for size in {min(size, n - size) for size in self.sizes}:
            total = math.comb(n, size)
            if total <= ENUMERABLE:
                hashes = sorted(self._hash(subset_of(n, chosen)) for chosen in itertools.combinations(range(n), size))
                self._cut[size] = hashes[reserved_count(n, size)]
            else:
                self._cut[size] = 1 << 255

    def count(self, size: int) -> int:
        """How many subsets of one size are reserved."""
        return reserved_count(self.n, size) if size in self.sizes else 0

    def _hash(self, members: np.ndarray) -> int:
        first = members if members[0] else ~members
        return int.from_bytes(
            hashlib.sha256(str(self.seed).encode() + b"held-out" + np.packbits(first).tobytes()).digest(), "big"
        )

    def __contains__(self, members: np.ndarray) -> bool:
        size = int(members.sum())
        cut = self._cut.get(min(size, len(members) - size))
        return cut is not None and self._hash(members) < cut
