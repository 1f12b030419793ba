"""What every estimator asks of a table of utilities: its ends, its proper subsets, and its noise."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.scale import Transform
from diffusion_credit.base.tables import Subsets, concatenate, read_subsets

SMALLEST, LARGEST = 1e-60, 1e60  # squares of squares of values must stay numbers
NOISE_HEADER = ["subsets", "rows", "different_subsets", "mean", "replicate_standard_deviation", "freedom", "note"]


@dataclass(frozen=True)
class Utilities:
    """A table split into its ends and its proper subsets.

    contributors: n names. members: (rows, n) bool, neither everyone nor empty. value: (rows,).
    everyone, empty: (seeds,), (seeds,). transform: the scale of all these values. cheap: the same game in a cheaper
    regime, for an estimator that takes both.
    """

    contributors: list[str]
    members: np.ndarray
    value: np.ndarray
    everyone: np.ndarray
    empty: np.ndarray
    transform: Transform = "none"
    cheap: "Utilities | None" = None

    @property
    def n(self) -> int:
        return len(self.contributors)

    @property
    def total(self) -> float:
        """Mean F(everyone) - mean F(empty)."""
        return float(self.everyone.mean() - self.empty.mean())

    def head(self, rows: int) -> "Utilities":
        """The utilities of the first `rows` subsets, with the same F(everyone) and F(empty)."""
        return replace(self, members=self.members[:rows], value=self.value[:rows])

    @cached_property
    def by_subset(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, int]:
        """Different proper subsets, their mean values and numbers of rows; pooled replicate variance, its freedom."""
        return pooled(self.members, self.value)


def pooled(members: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, int]:
    """Different subsets (u, n), mean values (u,), rows of each (u,); variance between replicates (NaN), its freedom."""
    if not len(members):
        return members, value, np.zeros(0, dtype=int), float("nan"), 0
    _, first, which, rows = np.unique(
        np.packbits(members, axis=1), axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    which = which.ravel()
    mean = np.bincount(which, weights=value) / rows
    freedom = len(value) - len(rows)
    variance = float(((value - mean[which]) ** 2).sum() / freedom) if freedom else float("nan")
    return members[first], mean, rows, variance, freedom


def split(table: Subsets, source: str | Path = "utilities") -> Utilities:
    """Split a table. Raises UserError without a row of everyone or of the empty subset, or when all values are equal.

    source: what the message names.
    """
    assert table.value is not None
    sizes = table.members.sum(axis=1)
    full, empty = sizes == table.members.shape[1], sizes == 0
    for rows, name, digit in ((full, "everyone", 1), (empty, "the empty subset", 0)):
        if not rows.any():
            raise UserError(f"{source}: found no row of {name} (all {digit}), expected at least one")
    if np.ptp(table.value) == 0:
        raise UserError(f"{source}: found the value {table.value[0]:g} in every row, expected values that differ")
    if not SMALLEST < np.ptp(table.value) < LARGEST:
        raise UserError(
            f"{source}: found values that span {np.ptp(table.value):g}, expected a span between {SMALLEST:g} and"
            f" {LARGEST:g}; choose another unit"
        )
    middle = ~(full | empty)
    if not middle.any():
        raise UserError(f"{source}: found only rows of everyone and of no one, expected proper subsets as well")
    return Utilities(
        table.contributors,
        table.members[middle],
        table.value[middle],
        table.value[full],
        table.value[empty],
        table.transform,
    )


def read_utilities(paths: Sequence[str | Path], cheap: Sequence[str | Path] = ()) -> Utilities:
    """The game of several tables, with that of the tables `cheap` beside it where there are some.

    Raises UserError on what is malformed, and what `split` raises.
    """
    game = split(concatenate([read_subsets(path, valued=True) for path in paths]), paths[0])
    return replace(game, cheap=read_utilities(cheap)) if cheap else game


def ends_variance(game: Utilities, everyone: float = 1.0, empty: float = 1.0) -> tuple[float, float, str]:
    """Variance of everyone * mean F(everyone) - empty * mean F(empty), its degrees of freedom, and a note.

    An end with a single row counts as exact; the note says so.
    """
    parts = []
    for factor, values in ((everyone, game.everyone), (empty, game.empty)):
        if len(values) > 1:
            parts.append((factor**2 * float(np.var(values, ddof=1)) / len(values), float(len(values) - 1)))
    note = "" if len(parts) == 2 else "an end of the game has a single row and counts as exact"
    return *satterthwaite(parts), note


def satterthwaite(parts: list[tuple[float, float]]) -> tuple[float, float]:
    """Sum of independent variances with their degrees of freedom, and that of the sum."""
    total = sum(part for part, _ in parts)
    spread = sum(part**2 / freedom for part, freedom in parts)
    return total, total**2 / spread if spread else 1.0


def noise_rows(game: Utilities) -> list[list[Any]]:
    """Rows of noise.csv: everyone, the empty subset, and the subsets that have several rows."""
    rows: list[list[Any]] = []
    for name, values in (("everyone", game.everyone), ("empty", game.empty)):
        one = len(values) < 2
        note = "not estimable: a single row" if one else ""
        deviation = "" if one else float(np.std(values, ddof=1))
        rows.append([name, len(values), 1, float(values.mean()), deviation, len(values) - 1, note])
    _, mean, counts, variance, freedom = game.by_subset
    note = "" if freedom else "not estimable: no subset has a second row"
    deviation = float(np.sqrt(variance)) if freedom else ""
    rows.append(["sampled", int(counts.sum()), len(counts), float(game.value.mean()), deviation, freedom, note])
    between = float(np.std(mean, ddof=1)) if len(mean) > 1 else ""
    rows.append(["spread_between_subsets", "", len(counts), "", between, max(len(mean) - 1, 0), ""])
    return rows
