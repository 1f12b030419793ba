"""How far values have moved from one attribution to another of the same property, such as before and after a change."""

from dataclasses import dataclass

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.credit.attribution import Attribution

HEADER = ["contributor", "before", "after", "moved", "low", "high", "share_before", "share_after"]


@dataclass(frozen=True)
class Movement:
    """The columns of the table, for everybody who is in either attribution; NaN where there is nothing to say.

    low, high: of `moved`, 95%, if the errors of both attributions are independent, as they nearly are where the models
    of one are not those of the other: the half-widths add as squares.
    """

    contributor: list[str]
    before: np.ndarray
    after: np.ndarray
    moved: np.ndarray
    low: np.ndarray
    high: np.ndarray
    share_before: np.ndarray
    share_after: np.ndarray

    @property
    def clearly(self) -> np.ndarray:
        """Whose interval of `moved` does not hold zero: (n,) bool."""
        return (self.low > 0) | (self.high < 0)


def movement(before: Attribution, after: Attribution) -> Movement:
    """What moved. Those of `before` come first, in its order. Raises UserError on values of different scales, and where
    one of the two has nobody, or somebody twice."""
    for when, of in (("before", before), ("after", after)):
        if not of.contributor or len(set(of.contributor)) < len(of.contributor):
            raise UserError(f"found nobody, or the same contributor twice, {when}; expected each contributor once")
    if before.transform[0] != after.transform[0]:
        raise UserError(f"found values of the scale {before.transform[0]!r} before, expected {after.transform[0]!r}")
    everybody = list(dict.fromkeys([*before.contributor, *after.contributor]))
    old, new = (_values(each, everybody) for each in (before, after))
    moved, half = new[0] - old[0], np.hypot(new[1], old[1])
    return Movement(everybody, old[0], new[0], moved, moved - half, moved + half, old[2], new[2])


def _values(of: Attribution, contributors: list[str]) -> np.ndarray:
    """Value, half-width of the interval, and share: (3, n)."""
    half = np.maximum(of.value - of.low, of.high - of.value)
    known = dict(zip(of.contributor, zip(of.value, half, of.share, strict=True), strict=True))
    return np.array([known.get(name, (np.nan,) * 3) for name in contributors], dtype=float).T
