"""From a table of utilities to credited contributors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.errors import UserError
from diffusion_credit.tables import Subsets, read_csv, write_csv

HEADER = ["contributor", "value", "rank", "share"]


@dataclass(frozen=True)
class Attribution:
    """contributors: n names. value: (n,). rank: (n,), 1 for the best. share: (n,) of the total, or NaN."""

    contributors: list[str]
    value: np.ndarray
    rank: np.ndarray
    share: np.ndarray

    @property
    def order(self) -> list[int]:
        """Contributor indices, best first."""
        return [int(i) for i in np.argsort(self.rank, kind="stable")]


def ends(table: Subsets) -> tuple[float, float, np.ndarray]:
    """Mean F(everyone), mean F(empty), and the mask of the rows that are neither.

    Raises UserError when either is missing.
    """
    sizes = table.members.sum(axis=1)
    full, empty = sizes == table.members.shape[1], sizes == 0
    if table.value is None or not full.any() or not empty.any():
        raise UserError("utilities: found no row of everyone or no row of the empty subset, expected at least one each")
    return float(table.value[full].mean()), float(table.value[empty].mean()), ~(full | empty)


def attribute(
    table: Subsets, estimate: Callable[..., np.ndarray], options: dict[str, Any], higher_is_better: bool
) -> Attribution:
    """Credit the contributors of a table of utilities.

    Ranks go from the most helpful to the least: by falling value, or by rising value where lower is better.
    Shares are of F(everyone) - F(empty).
    """
    everyone, empty, middle = ends(table)
    assert table.value is not None
    value = estimate(table.members[middle], table.value[middle], everyone, empty, options)
    rank = np.empty(len(value), dtype=int)
    rank[np.argsort(-value if higher_is_better else value, kind="stable")] = np.arange(1, len(value) + 1)
    total = everyone - empty
    return Attribution(table.contributors, value, rank, value / total if total else np.full(len(value), np.nan))


def write_attribution(path: str | Path, result: Attribution) -> None:
    """Write contributor, value, rank, share; an undefined share stays an empty field."""
    shares = ["" if np.isnan(share) else float(share) for share in result.share]
    write_csv(path, HEADER, zip(result.contributors, result.value, result.rank, shares, strict=True))


def read_attribution(path: str | Path) -> Attribution:
    """Read what `write_attribution` wrote. Raises UserError on another header."""
    header, rows = read_csv(path)
    if header[: len(HEADER)] != HEADER:
        raise UserError(f"{path}: found the header {','.join(header)[:80]}, expected {','.join(HEADER)}")
    return Attribution(
        [row[0] for row in rows],
        np.array([float(row[1]) for row in rows]),
        np.array([int(row[2]) for row in rows]),
        np.array([float(row[3]) if row[3] else np.nan for row in rows]),
    )
