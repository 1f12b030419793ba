"""Do subsets of many contributors differ as much as subsets of few? Shares follow the sizes that differ most."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from diffusion_credit.credit.utilities import Utilities, pooled

PART = 0.25  # of the sizes that count as few, and as many
FALL = 5.0  # ratio of spreads above which it is said
UNKNOWN = "not estimable: no two subsets of one size"
FREEDOM = 5  # subsets beyond one a size, at either end, below which nothing is said
NAMES = "spread_of_small_subsets", "spread_of_large_subsets"  # rows of noise.csv

Spread = tuple[float, int]  # standard deviation of F between different subsets of one size, its degrees of freedom


def spreads(game: Utilities) -> tuple[Spread, Spread]:
    """Of subsets of few contributors and of subsets of many, each pooled over its sizes; NaN without two of a size."""
    few, many = game.members.sum(axis=1) <= _few(game.n), game.members.sum(axis=1) >= game.n - _few(game.n)
    return _within(game, few), _within(game, many)


def warning(game: Utilities) -> str:
    """A sentence where the spread falls more than FALL times from few contributors to many; else nothing."""
    (few, _), (many, _) = found = spreads(game)
    ratio = _ratio(*found)
    if not ratio > FALL:
        return ""
    text = (
        f"values differ by {few:.3g} between subsets of few contributors and by {many:.2g} between subsets of many,"
        f" {ratio:.0f} times less: shares are mostly about small subsets, not about models of almost everyone"
    )
    every = np.concatenate([game.value, game.everyone, game.empty])
    if game.transform == "none" and every.min() > 0:
        logarithm = _ratio(*spreads(replace(game, value=np.log(game.value))))
        if logarithm < ratio / 2:
            text += f"; on the logarithm (transform: log) the first is only {logarithm:.1f} times the second"
    return text


def rows(game: Utilities) -> list[list[Any]]:
    """Rows of noise.csv: both spreads, and the warning as a note."""
    found = []
    for name, (spread, freedom) in zip(NAMES, spreads(game), strict=True):
        note = warning(game) if name == NAMES[-1] else ""
        found.append([name, "", "", "", spread if freedom else "", freedom, note if freedom else UNKNOWN])
    return found


def warned(notes: Iterable[tuple[Any, Any]]) -> list[str]:
    """The warnings among the first and last fields of rows of noise.csv."""
    return [str(note) for name, note in notes if name == NAMES[-1] and note and note != UNKNOWN]


def _few(n: int) -> int:
    return max(1, int(PART * n))


def _ratio(small: Spread, large: Spread) -> float:
    (few, few_freedom), (many, many_freedom) = small, large
    known = min(few_freedom, many_freedom) >= FREEDOM and many > 0
    return few / many if known else float("nan")


def _within(game: Utilities, chosen: np.ndarray) -> Spread:
    members, value, *_ = pooled(game.members[chosen], game.value[chosen])
    size = members.sum(axis=1)
    count = np.bincount(size, minlength=game.n)
    mean = np.bincount(size, weights=value, minlength=game.n) / np.maximum(count, 1)
    freedom = int(np.maximum(count - 1, 0).sum())
    squares = float(((value - mean[size]) ** 2).sum())
    return (float(np.sqrt(squares / freedom)) if freedom else float("nan")), freedom
