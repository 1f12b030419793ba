"""Which subsets are evaluated: the sampled design, its anchors, and the held-out subsets that judge it.

Every row is a function of the study's seed and of its own place in the list, so a longer list begins with the
shorter one. Held-out subsets stay out of the design by a rule that needs neither list: at each held-out size a
seeded hash reserves half of all subsets for the held-out list, and the design draws from the other half.
"""

import hashlib
import itertools
import math
from collections.abc import Callable, Iterable

import numpy as np

from diffusion_credit.errors import UserError
from diffusion_credit.seeds import generator, named_seed
from diffusion_credit.tables import Subsets

ENUMERABLE = 50_000  # up to so many subsets of one size are ranked; beyond, half the hash range is half of them


def held_out_sizes(alphas: list[float], subsets: int, n: int) -> dict[float, int]:
    """Alpha -> size of its held-out subsets among n contributors.

    Raises UserError when a size is no proper subset, shared by two alphas, or has too few subsets.
    """
    key = "config: evaluation.lds"
    sizes: dict[float, int] = {}
    for alpha in alphas:
        size = held_out_size(alpha, n)
        if not 0 < alpha < 1 or alpha * n < 1 or size >= n:
            raise UserError(f"{key}.alphas: found {alpha}, expected between 1/{n} and 1 for {n} contributors")
        if size in sizes.values():
            raise UserError(f"{key}.alphas: found {alpha}, which gives subsets of {size} like another alpha")
        if subsets > math.comb(n, size) // 2:
            raise UserError(
                f"{key}.subsets: found {subsets}, expected at most {math.comb(n, size) // 2}, half of the subsets of"
                f" {size} of {n} contributors, because the design needs the other half"
            )
        sizes[alpha] = size
    return sizes


def held_out_size(alpha: float, n: int) -> int:
    """Contributors in a held-out subset: alpha * n, rounded; ties go towards n/2, where there are more subsets."""
    exact = alpha * n
    return math.floor(exact + 0.5) if exact < n / 2 else math.ceil(exact - 0.5)


class Reserved:
    """Membership of the held-out half of the subsets of some sizes.

    n: contributors. sizes: sizes of which a half is reserved. Which half depends on the seed alone, not on how
    many held-out subsets are used.
    """

    def __init__(self, n: int, sizes: Iterable[int], seed: int) -> None:
        self._seed = str(seed).encode()
        self._cut: dict[int, int] = {}
        for size in sizes:
            total = math.comb(n, size)
            if total <= ENUMERABLE:
                hashes = sorted(self._hash(_members(n, chosen)) for chosen in itertools.combinations(range(n), size))
                self._cut[size] = hashes[total // 2]
            else:
                self._cut[size] = 1 << 255

    def _hash(self, members: np.ndarray) -> int:
        return int.from_bytes(hashlib.sha256(self._seed + b"held-out" + np.packbits(members).tobytes()).digest(), "big")

    def __contains__(self, members: np.ndarray) -> bool:
        cut = self._cut.get(int(members.sum()))
        return cut is not None and self._hash(members) < cut


def _members(n: int, chosen: np.ndarray | tuple[int, ...] | list[int]) -> np.ndarray:
    members = np.zeros(n, dtype=bool)
    members[list(chosen)] = True
    return members


def shapley_sizes(n: int) -> np.ndarray:
    """P(|S| = k) for k = 1..n-1 under the Shapley kernel, proportional to (n - 1) / (k (n - k)): (n - 1,)."""
    k = np.arange(1, n)
    weight = (n - 1) / (k * (n - k))
    return weight / weight.sum()


def draw_paper(n: int, seed: int, index: int, reserved: Reserved) -> np.ndarray:
    """Subset `index` of the paper's design: size from the Shapley kernel, uniform within the size: (n,) bool.

    Independent draws: the same subset may come twice. Source: ICLR 2025 'An Efficient Framework for Crediting
    Data Contributors of Diffusion Models', the sampling of its Shapley estimator.
    """
    rng = generator(seed, "design", index)
    size = int(rng.choice(np.arange(1, n), p=shapley_sizes(n)))
    while True:
        members = _members(n, rng.choice(n, size=size, replace=False))
        if members not in reserved:
            return members


DESIGNS: dict[str, Callable[[int, int, int, Reserved], np.ndarray]] = {"paper": draw_paper}


def sampled(contributors: list[str], seed: int, kind: str, subsets: int, reserved: Reserved) -> Subsets:
    """The first `subsets` rows of the sampled design; a subset that is drawn again counts as a further replicate."""
    n = len(contributors)
    members = np.array([DESIGNS[kind](n, seed, index, reserved) for index in range(subsets)])
    drawn: dict[bytes, int] = {}
    replicate = []
    for row in members:
        drawn[row.tobytes()] = drawn.get(row.tobytes(), -1) + 1
        replicate.append(drawn[row.tobytes()])
    ids = [f"{index:05d}" for index in range(subsets)]
    return _list("sampled", contributors, seed, ids, replicate, members)


def everyone(contributors: list[str], seed: int) -> Subsets:
    """The one subset that the full model and the re-fitted pruned model are trained on."""
    return _list("everyone", contributors, seed, ["everyone"], [0], np.ones((1, len(contributors)), dtype=bool))


def anchors(contributors: list[str], seed: int, replicates: int) -> Subsets:
    """Everyone and no one, each with `replicates` training seeds."""
    n = len(contributors)
    ids = ["everyone"] * replicates + ["empty"] * replicates
    members = np.repeat([[True] * n, [False] * n], replicates, axis=0)
    return _list("anchors", contributors, seed, ids, [*range(replicates)] * 2, members)


def held_out(
    contributors: list[str], seed: int, size: int, subsets: int, replicates: int, reserved: Reserved
) -> Subsets:
    """Distinct reserved subsets of one size, each with `replicates` training seeds, subset after subset."""
    n = len(contributors)
    found: dict[bytes, np.ndarray] = {}
    for attempt in itertools.count():
        if len(found) == subsets:
            break
        members = _members(n, generator(seed, "held-out", size, attempt).choice(n, size=size, replace=False))
        if members in reserved:
            found.setdefault(members.tobytes(), members)
    ids = [f"size{size}-{i:04d}" for i in range(subsets) for _ in range(replicates)]
    members = np.repeat(list(found.values()), replicates, axis=0)
    return _list("held-out", contributors, seed, ids, [*range(replicates)] * subsets, members)


def counterfactual(contributors: list[str], seed: int, order: list[int], share: float, replicates: int) -> Subsets:
    """Without the top `share` of contributors, and with only them, each with `replicates` training seeds.

    order: contributor indices, best first.
    """
    n = len(contributors)
    top = _members(n, order[: top_count(share, n)])
    ids = ["without_top"] * replicates + ["only_top"] * replicates
    members = np.repeat([~top, top], replicates, axis=0)
    return _list("counterfactual", contributors, seed, ids, [*range(replicates)] * 2, members)


def top_count(share: float, n: int) -> int:
    """How many contributors the top `share` of n are, ties upwards. Raises UserError when none or all."""
    count = math.floor(share * n + 0.5)
    if not 1 <= count < n:
        raise UserError(
            f"config: evaluation.counterfactual.share: found {share}, which is {count} of {n} contributors,"
            " expected at least one and not all"
        )
    return count


def _list(
    name: str, contributors: list[str], seed: int, ids: list[str], replicate: list[int], members: np.ndarray
) -> Subsets:
    seeds = [named_seed(seed, "train", name, i, r) for i, r in zip(ids, replicate, strict=True)]
    return Subsets(contributors, ids, replicate, seeds, members)


def assert_disjoint(design: Subsets, held: Subsets) -> None:
    """Raises ValueError when a held-out subset is a subset of the design."""
    common = {row.tobytes() for row in design.members} & {row.tobytes() for row in held.members}
    if common:
        raise ValueError(f"{len(common)} held-out subsets are also in the design")
