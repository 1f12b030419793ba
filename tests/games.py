"""Games small enough to list every subset, and values by their definitions: what estimators are judged by."""

from itertools import combinations, permutations
from math import comb, factorial

import numpy as np

from diffusion_credit.credit.utilities import Utilities


def lattice(n: int) -> np.ndarray:
    """All subsets; row i has the bits of i."""
    return np.array([[i >> k & 1 for k in range(n)] for i in range(2**n)], dtype=bool)


def complete(values: np.ndarray) -> Utilities:
    """All subsets of a game as a table. values: indexed by the subset's bits."""
    n = int(np.log2(len(values)))
    names = [f"c{i}" for i in range(n)]
    return Utilities(names, lattice(n)[1:-1], values[1:-1], values[-1:], values[:1])


def weighted_marginals(values: np.ndarray, weight: list[float]) -> np.ndarray:
    """Sum over subsets of the others, of size k, of weight[k] times the marginal contribution."""
    n = int(np.log2(len(values)))
    phi = np.zeros(n)
    for player in range(n):
        others = [k for k in range(n) if k != player]
        for size in range(n):
            for chosen in combinations(others, size):
                bits = sum(1 << k for k in chosen)
                phi[player] += weight[size] * (values[bits | 1 << player] - values[bits])
    return phi


def shapley(values: np.ndarray) -> np.ndarray:
    n = int(np.log2(len(values)))
    return weighted_marginals(values, [factorial(k) * factorial(n - 1 - k) / factorial(n) for k in range(n)])


def banzhaf(values: np.ndarray) -> np.ndarray:
    n = int(np.log2(len(values)))
    return weighted_marginals(values, [0.5 ** (n - 1)] * n)


def owen(values: np.ndarray, groups: list[list[int]]) -> np.ndarray:
    """Mean marginal contribution over all orders in which groups stay together."""
    phi, orders = np.zeros(sum(map(len, groups))), 0
    for arrangement in permutations(groups):
        for order in _orders(arrangement):
            orders += 1
            bits = 0
            for player in order:
                phi[player] += values[bits | 1 << player] - values[bits]
                bits |= 1 << player
    return phi / orders


def _orders(groups: tuple[list[int], ...]) -> list[list[int]]:
    if not groups:
        return [[]]
    return [[*first, *rest] for first in permutations(groups[0]) for rest in _orders(groups[1:])]


def glove() -> np.ndarray:
    """Players 0, 1 hold left gloves, 2, 3, 4 right ones; a pair is worth 1."""
    members = lattice(5)
    return np.minimum(members[:, :2].sum(1), members[:, 2:].sum(1)).astype(float)


def airport() -> np.ndarray:
    return (lattice(5) * np.array([1, 2, 2, 5, 9.0])).max(axis=1)


def majority() -> np.ndarray:
    """Weights 3, 2, 2, 0 against a quota of 4: the last player is a dummy."""
    return (lattice(4) @ np.array([3, 2, 2, 0]) >= 4).astype(float)


def random_game(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=2**n) + 3  # F(empty) is not 0


def share_of(n: int, size: int) -> float:
    """Shapley-kernel weight of one subset of a size."""
    return (n - 1) / (comb(n, size) * size * (n - size))
