"""From a table of utilities to credited contributors."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.names import NAMED, listed
from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.scale import Transform
from diffusion_credit.base.tables import read_csv, write_table
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.credit.estimators import ANY_NUMBER
from diffusion_credit.credit.utilities import Utilities


@dataclass(frozen=True)
class Attribution:
    """Credit of n contributors; the fields are the columns of the CSV, empty (NaN) where there is nothing to say.

    value: the estimate, of the fit `value_of`, on the scale `transform`. rank: 1 for the best. share: of the total.
    standard_error, low, high: of the fit `interval_of`, around `interval_center`, 95%, widened where the
    value of another fit lies outside.
    simultaneous_low, simultaneous_high: 95% for all contributors at once. rank_low, rank_high: likewise for ranks.
    probability_top: chance to be among the best `top`. covers_equal_share: yes when the interval does not tell the
    contributor from an equal share. note: why a field is empty.
    """

    contributor: list[str]
    value: np.ndarray
    rank: np.ndarray
    share: np.ndarray
    standard_error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    simultaneous_low: np.ndarray
    simultaneous_high: np.ndarray
    rank_low: np.ndarray
    rank_high: np.ndarray
    top: np.ndarray
    probability_top: np.ndarray
    covers_equal_share: list[str]
    interval_center: np.ndarray
    value_of: list[str]
    interval_of: list[str]
    transform: list[str]
    note: list[str]

    @property
    def order(self) -> list[int]:
        """Contributor indices, best first."""
        return [int(i) for i in np.argsort(self.rank, kind="stable")]

    @property
    def shown(self) -> tuple[list[int], list[int]]:
        """The order as people see it: everyone and nobody, or of many the ENDS best and the ENDS worst."""
        order = self.order
        return (order, []) if len(order) <= FEW else (order[:ENDS], order[-ENDS:])


HEADER = [column.name for column in fields(Attribution)]
TEXT = {"contributor", "covers_equal_share", "value_of", "interval_of", "transform", "note"}
OF_INTERVAL = (
    "standard_error", "low", "high", "simultaneous_low", "simultaneous_high", "rank_low", "rank_high",
    "probability_top", "interval_center",
)  # fmt: skip
INTEGER = {"rank", "rank_low", "rank_high", "top"}

FEW, ENDS = 60, 20  # contributors that are all shown; of more so many best and worst
MOST = 5_000  # contributors of estimators whose matrices are n x n: 200 MB each

Estimator = Callable[[Utilities, dict[str, Any]], Estimate]


def check_contributors(kind: str, n: int) -> None:
    """Raises UserError when an estimator of this kind cannot credit n contributors."""
    if n > MOST and kind not in ANY_NUMBER:
        raise UserError(
            f"estimator {kind}: not estimable: found {n} contributors, expected at most {MOST}, or the"
            f" estimator {' or '.join(ANY_NUMBER)}"
        )


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """The estimate of the estimator options["kind"]. Raises UserError on too many contributors, and what it raises."""
    check_contributors(options["kind"], game.n)
    found: Estimate = module_of("estimators", options["kind"]).estimate(game, options)
    note = "; ".join(text for text in (found.note, unidentified(game)) if text)
    return replace(found, note=note)


def unidentified(game: Utilities) -> str:
    """Whom no subset tells apart from an end of the game, or from each other; nothing where there is nobody."""
    found = []
    for there, words in ((False, "no subset but everyone"), (True, "every subset but the empty one")):
        who = np.flatnonzero((game.members == there).all(axis=0))
        if len(who):
            found.append(f"not identified: {_listed(game, who)}, in {words}")
    _, first, which, count = np.unique(
        np.packbits(game.members, axis=0), axis=1, return_index=True, return_inverse=True, return_counts=True
    )
    for place in np.argsort(first)[count[np.argsort(first)] > 1]:
        who = np.flatnonzero(which.ravel() == place)
        if 0 < game.members[:, who[0]].sum() < len(game.members):
            found.append(f"not told apart by any subset: {_listed(game, who)}")
    return "; ".join(found[:NAMED])


def _listed(game: Utilities, who: np.ndarray) -> str:
    return listed([game.contributors[i] for i in who])


def credit(
    contributors: list[str],
    total: float,
    found: Estimate,
    higher_is_better: bool,
    top: int,
    transform: Transform = "none",
) -> Attribution:
    """The attribution table of an estimate.

    Ranks go from the most helpful to the least: by falling value, or by rising value where lower is better.
    total: F(everyone) - F(empty), which shares are of; 0 where there are none. top: how many are
    the best, for `probability_top`. transform: the scale of the values.
    """
    n, value, interval = len(contributors), found.value, found.interval
    rank = np.empty(n, dtype=int)
    rank[np.argsort(-value if higher_is_better else value, kind="stable")] = np.arange(1, n + 1)
    none = np.full(n, np.nan)
    columns: dict[str, Any] = dict.fromkeys(OF_INTERVAL, none)
    covers = [""] * n
    if interval:
        center, half, wide = interval.center, interval.half_width(), interval.simultaneous_half_width()
        low, high = interval.ranks(higher_is_better)
        low, high = np.minimum(low, rank), np.maximum(high, rank)
        columns = {
            "standard_error": interval.standard_error,
            "low": np.minimum(center - half, value),
            "high": np.maximum(center + half, value),
            "simultaneous_low": np.minimum(center - wide, value),
            "simultaneous_high": np.maximum(center + wide, value),
            "rank_low": low,
            "rank_high": high,
            "probability_top": interval.probability_top(top, higher_is_better),
            "interval_center": center,
        }
        covers = ["yes" if inside else "no" for inside in interval.covers_equal_share()]
    return Attribution(
        contributor=contributors,
        value=value,
        rank=rank,
        share=value / total if total else none,
        top=np.full(n, top),
        covers_equal_share=covers,
        value_of=[found.fit] * n,
        interval_of=[interval.fit if interval else ""] * n,
        transform=[transform] * n,
        note=[found.note] * n,
        **columns,
    )


def write_attribution(path: str | Path, result: Attribution) -> None:
    """Write one row a contributor, to CSV or Parquet; what is not estimable stays an empty field."""
    columns = {}
    for name in HEADER:
        column = getattr(result, name)
        if name not in TEXT:
            kind = int if name in INTEGER else float
            column = ["" if np.isnan(x) else kind(x) for x in column]
        columns[name] = column
    write_table(path, columns, TEXT)


def read_attribution(path: str | Path) -> Attribution:
    """Read what `write_attribution` wrote. Raises UserError on another header or a value that is no number."""
    header, rows = read_csv(path)
    if header != HEADER:
        raise UserError(f"{path}: found the header {','.join(header)[:80]}, expected {','.join(HEADER)}")
    columns: dict[str, Any] = {}
    for at, name in enumerate(HEADER):
        cells = [row[at] for row in rows]
        try:
            columns[name] = cells if name in TEXT else np.array([float(cell) if cell else np.nan for cell in cells])
        except ValueError:
            raise UserError(f"{path}: column {name}: found {cells!r:.80}, expected numbers") from None
    return Attribution(**columns)
