"""Five kinds of games whose Shapley values are known in closed form, at any number of players.

Each maker takes (n, rng) and returns a function of members (rows, n) bool -> utilities (rows,), and the values (n,).
"""

from collections.abc import Callable

import numpy as np

Game = tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]


def additive(n: int, rng: np.random.Generator) -> Game:
    """Everyone's own worth."""
    worth = rng.gamma(2, 1, n)
    return lambda members: 1 + members @ worth, worth


def pairwise(n: int, rng: np.random.Generator) -> Game:
    """Own worth and a gain or loss for each pair: half of each pair's to either."""
    worth = rng.gamma(2, 1, n)
    gain = np.triu(rng.normal(0, 2 / np.sqrt(n), (n, n)), 1)
    return (
        lambda members: (
            1 + members @ worth + np.einsum("ri,ij,rj->r", 1.0 * members, gain, 1.0 * members, optimize=True)
        ),
        worth + (gain + gain.T).sum(axis=1) / 2,
    )


def saturating(n: int, rng: np.random.Generator) -> Game:
    """Qualities that each approach a ceiling as their contributors' strengths add up, as an Inception Score does.

    Shapley value by the multilinear extension: the mean over q in [0, 1] of the expected marginal contribution to
    a subset that holds everyone else with probability q; Gauss-Legendre quadrature.
    """
    strength = rng.gamma(0.5, 1, (8, n))
    strength *= 3 / strength.sum(axis=1, keepdims=True)
    ceiling = rng.gamma(2, 1, 8)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    left = np.exp(-strength)  # what a contributor leaves of the distance to the ceiling
    values = np.zeros(n)
    for q, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        expected = 1 - q + q * left
        others = np.exp(np.log(expected).sum(axis=1, keepdims=True) - np.log(expected))
        values += weight * (ceiling[:, None] * (1 - left) * others).sum(axis=0)
    return lambda members: 1 + (1 - np.exp(-(members @ strength.T))) @ ceiling, values


def coverage(n: int, rng: np.random.Generator) -> Game:
    """Elements that any of their owners brings: each is shared equally by its owners."""
    owners = rng.random((5 * n, n)) < 3 / n
    owners[np.arange(5 * n), rng.integers(n, size=5 * n)] = True
    worth = rng.gamma(1, 1, 5 * n)
    return (
        lambda members: (1.0 * members @ owners.T.astype(float) > 0) @ worth,
        (owners * (worth / owners.sum(axis=1))[:, None]).sum(axis=0),
    )


def airport(n: int, rng: np.random.Generator) -> Game:
    """The largest cost of those present (Littlechild and Owen, doi 10.1287/mnsc.20.3.370)."""
    cost = rng.gamma(2, 1, n)
    order = np.argsort(cost)
    steps = np.diff(cost[order], prepend=0) / np.arange(n, 0, -1)
    values = np.empty(n)
    values[order] = np.cumsum(steps)
    return lambda members: (members * cost).max(axis=1), values


GAMES = {game.__name__: game for game in (additive, pairwise, saturating, coverage, airport)}
