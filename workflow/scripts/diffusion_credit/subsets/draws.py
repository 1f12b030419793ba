"""How subsets are drawn: one endless stream of proper subsets a design.

A stream knows nothing of how many rows will be taken from it, so a larger budget begins with the smaller one. Row i
is a function of the seed and i. Subsets that are reserved for evaluation never come. A stream that has run out of
different subsets (or, where there are thousands, nearly) starts again: the same subset once more is a further
replicate, with a training seed of its own.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.seeds import generator
from diffusion_credit.subsets.groups import group_numbers
from diffusion_credit.subsets.reserved import Reserved, subset_of

LISTED = 2_000  # up to so many pairs of one size are listed, and each draw takes the best balanced one that is left
VAIN = 500  # after so many vain attempts the subsets of a size count as exhausted
TRIES = 10_000


@dataclass(frozen=True)
class Game:
    """What a design may depend on.

    n: contributors. seed: the study's. reserved: subsets to avoid. alpha: share of the contributors (datamodel).
    groups: for each contributor the number of its group (Owen values), or empty.
    """

    n: int
    seed: int
    reserved: Reserved
    alpha: float = 0.5
    groups: list[int] = field(default_factory=list)


def game_of(contributors: list[str], seed: int, reserved: Reserved, options: dict[str, Any]) -> Game:
    """The game of a design's options: alpha, and groups by name. Raises UserError on groups that do not divide."""
    groups = group_numbers(contributors, options["groups"]) if options.get("groups") else []
    return Game(len(contributors), seed, reserved, options.get("alpha", 0.5), groups)


def shapley_sizes(n: int) -> np.ndarray:
    """P(|S| = k) for k = 1..n-1 under the Shapley kernel, proportional to (n - 1) / (k (n - k)): (n - 1,)."""
    k = np.arange(1, n)
    weight = (n - 1) / (k * (n - k))
    return weight / weight.sum()


def paper(game: Game) -> Iterator[np.ndarray]:
    """Independent draws: size from the Shapley kernel, uniform within the size.

    Source: ICLR 2025 'An Efficient Framework for Crediting Data Contributors of Diffusion Models', the sampling of
    its Shapley estimator.
    """
    for index in itertools.count():
        rng = generator(game.seed, "design", index)
        size = int(rng.choice(np.arange(1, game.n), p=shapley_sizes(game.n)))
        yield from _unreserved(game, partial(_choice, rng, game.n, size))


def paired_stratified(game: Game) -> Iterator[np.ndarray]:
    """Complementary pairs; sizes in the kernel's shares at every length; no repetition within a size; balanced players.

    The size of pair j is where the golden-ratio sequence frac(j * 0.618...) falls in the kernel's distribution, which
    fills it more evenly than random draws at every length.
    """
    n = game.n
    sizes = np.arange(1, n // 2 + 1)
    shares = shapley_sizes(n)[sizes - 1] * np.where(2 * sizes == n, 1, 2)
    start = generator(game.seed, "design", "sizes").random()
    strata = cache(lambda size: Stratum(game, size))  # of thousands of contributors most sizes never come
    edges = np.cumsum(shares)
    for pair in itertools.count():
        place = (start + pair * (math.sqrt(5) - 1) / 2) % 1 * edges[-1]
        first = strata(int(sizes[min(int(np.searchsorted(edges, place, side="right")), len(sizes) - 1)])).draw()
        yield first
        yield ~first


class Stratum:
    """Pairs of one size without repetition, each contributor about as often as every other."""

    def __init__(self, game: Game, size: int) -> None:
        self._game, self._size = game, size
        self._rng = generator(game.seed, "design", "size", size)
        self._seen: set[bytes] = set()
        self._counts = np.zeros(game.n)
        total = math.comb(game.n, size) // (2 if 2 * size == game.n else 1)
        self._listed = total <= LISTED
        self._left = np.empty((0, game.n), dtype=bool)

    def draw(self) -> np.ndarray:
        """The next subset; its complement is the other half of the pair."""
        members = self._of_list() if self._listed else self._of_many()
        self._counts += members
        return members

    def _of_list(self) -> np.ndarray:
        if not len(self._left):
            n, size = self._game.n, self._size
            every = [subset_of(n, chosen) for chosen in itertools.combinations(range(n), size)]
            free = [m for m in every if m not in self._game.reserved and (2 * size < n or m[0])]
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
            order = np.argsort(self._counts + self._rng.random(self._game.n) * (1 + attempt))
            members = subset_of(self._game.n, order[: self._size])
            key = members.tobytes() if 2 * self._size < self._game.n or members[0] else (~members).tobytes()
            if key not in self._seen and members not in self._game.reserved:
                self._seen.add(key)
                return members
        raise AssertionError


def leverage(game: Game) -> Iterator[np.ndarray]:
    """Complementary pairs with every size equally likely, as leverage scores have it (arXiv 2410.01917)."""
    for pair in itertools.count():
        rng = generator(game.seed, "design", pair)
        size = int(rng.integers(1, game.n))
        yield from _unreserved(game, partial(_pair, rng, game.n, size))


def uniform(game: Game) -> Iterator[np.ndarray]:
    """Complementary pairs, every contributor in or out with equal chance: Banzhaf values."""
    for pair in itertools.count():
        rng = generator(game.seed, "design", pair)

        def draw(rng: np.random.Generator = rng) -> list[np.ndarray]:
            members = rng.random(game.n) < 0.5
            return [members, ~members] if 0 < members.sum() < game.n else draw()

        yield from _unreserved(game, draw)


def datamodel(game: Game) -> Iterator[np.ndarray]:
    """Independent draws of the one size alpha * n (arXiv 2202.00622)."""
    size = min(max(round(game.alpha * game.n), 1), game.n - 1)
    for index in itertools.count():
        rng = generator(game.seed, "design", index)
        yield from _unreserved(game, partial(_choice, rng, game.n, size))


def leave_one_out(game: Game) -> Iterator[np.ndarray]:
    """Subsets of everyone but one contributor, for each contributor in turn, again and again."""
    return (~subset_of(game.n, [i]) for i in itertools.cycle(range(game.n)))


def add_one_in(game: Game) -> Iterator[np.ndarray]:
    """Subsets of one contributor alone, for each contributor in turn, again and again."""
    return (subset_of(game.n, [i]) for i in itertools.cycle(range(game.n)))


def every(game: Game) -> Iterator[np.ndarray]:
    """All proper subsets by rising size, again and again."""
    while True:
        for size in range(1, game.n):
            for chosen in itertools.combinations(range(game.n), size):
                yield subset_of(game.n, chosen)


def permutation(game: Game) -> Iterator[np.ndarray]:
    """Chains of n - 1 subsets that grow by one contributor in a random order; every second chain in reverse order."""
    for turn in itertools.count():
        rng = generator(game.seed, "design", turn)

        def draw(rng: np.random.Generator = rng) -> list[np.ndarray]:
            order = rng.permutation(game.n)
            chain = [subset_of(game.n, order[:size]) for size in range(1, game.n)]
            return [*chain, *(~members for members in reversed(chain))]

        yield from _unreserved(game, draw)


def owen(game: Game) -> Iterator[np.ndarray]:
    """In turn: a complementary pair of unions of whole groups, and pairs that split one group beside whole others.

    Unions come as `paired_stratified` has it among groups. A group of g contributors gets g - 1 pairs a turn: a part
    of it and the rest of it, the part by the Shapley kernel, both beside the same other groups, first a random number
    of them and then a random choice.
    """
    groups = [np.array(game.groups) == group for group in sorted(set(game.groups))]
    count = len(groups)
    among = paired_stratified(Game(count, game.seed, Reserved(count, (), game.seed)))

    def union(chosen: np.ndarray) -> np.ndarray:
        return np.any([groups[i] for i in chosen], axis=0) if len(chosen) else np.zeros(game.n, dtype=bool)

    for turn in itertools.count():
        rng = generator(game.seed, "design", turn)

        def whole() -> list[np.ndarray]:
            return [union(np.flatnonzero(next(among))) for _ in range(2)]

        if count > 1:
            yield from _unreserved(game, whole)
        for at, group in enumerate(groups):
            inside = np.flatnonzero(group)
            others = np.delete(np.arange(count), at)

            def split(
                rng: np.random.Generator = rng,
                inside: np.ndarray = inside,
                others: np.ndarray = others,
                group: np.ndarray = group,
            ) -> list[np.ndarray]:
                beside = union(rng.permutation(others)[: rng.integers(count)])
                part = subset_of(game.n, _kernel_choice(rng, inside))
                return [beside | part, beside | (group & ~part)]

            for _ in range(len(inside) - 1):
                yield from _unreserved(game, split)


def _choice(rng: np.random.Generator, n: int, size: int) -> list[np.ndarray]:
    return [subset_of(n, rng.choice(n, size=size, replace=False))]


def _pair(rng: np.random.Generator, n: int, size: int) -> list[np.ndarray]:
    (members,) = _choice(rng, n, size)
    return [members, ~members]


def _kernel_choice(rng: np.random.Generator, items: np.ndarray) -> np.ndarray:
    """A proper part of the items by the Shapley kernel."""
    size = int(rng.choice(np.arange(1, len(items)), p=shapley_sizes(len(items))))
    return rng.choice(items, size=size, replace=False)


def _unreserved(game: Game, draw: Callable[[], list[np.ndarray]]) -> list[np.ndarray]:
    """The first draw without a reserved subset. Raises UserError when there seems to be none."""
    for _ in range(TRIES):
        rows = draw()
        if not any(members in game.reserved for members in rows):
            return rows
    raise UserError(
        "config: evaluation.lds.alphas: found sizes whose subsets are held out although the design needs them,"
        " expected other alphas or another design.kind"
    )


DESIGNS: dict[str, Callable[[Game], Iterator[np.ndarray]]] = {
    "paired-stratified": paired_stratified,
    "paper": paper,
    "leverage": leverage,
    "uniform": uniform,
    "datamodel": datamodel,
    "leave-one-out": leave_one_out,
    "add-one-in": add_one_in,
    "permutation": permutation,
    "owen": owen,
    "all": every,
}
