"""What happens to the property when a model is retrained without its top contributors, or with only them."""

import json
from typing import Any

import numpy as np

from diffusion_credit.base.scale import Transform
from diffusion_credit.base.tables import Subsets

HEADER = [
    "trained_on", "contributors", "replicates", "mean", "standard_deviation", "change_percent", "low", "high", "note",
]  # fmt: skip

NAMED = 1_000  # contributors of a study up to which they are listed by name; of more, their number


def relative_change(value: np.ndarray, base: np.ndarray, transform: Transform = "none") -> tuple[float, float, float]:
    """Change of the mean of `value` (seeds,) from the mean of `base` (seeds,), in percent, with a 95% interval.

    Of logarithms it is the change of the geometric mean of the property. The interval treats both means as uncertain
    (delta method) and uses Student's t with Welch-Satterthwaite degrees of freedom, as there are only a few seeds. All
    NaN when the base's mean is zero.
    """
    a, b = float(np.mean(value)), float(np.mean(base))
    logarithm = transform == "log"
    if b == 0 and not logarithm:
        return float("nan"), float("nan"), float("nan")
    slope, unit = (1.0, 1.0) if logarithm else (a / b, abs(b))
    parts = np.array([np.var(value, ddof=1) / len(value), slope**2 * np.var(base, ddof=1) / len(base)]) / unit**2
    change, half = (a - b) / unit, 0.0
    if parts.sum():
        freedom = parts.sum() ** 2 / (parts[0] ** 2 / (len(value) - 1) + parts[1] ** 2 / (len(base) - 1))
        from scipy.special import stdtrit  # takes as long to import as all else here

        half = float(stdtrit(freedom, 0.975)) * float(np.sqrt(parts.sum()))
    found = (change, change - half, change + half)
    change, low, high = (100 * float(np.expm1(x) if logarithm else x) for x in found)
    return change, low, high


def rows(anchors: Subsets, removed: Subsets) -> list[list[Any]]:
    """Rows of counterfactual.csv from retrained tables: the anchors' everyone, and the counterfactual subsets."""
    assert anchors.value is not None and removed.value is not None
    base = anchors.value[anchors.members.all(axis=1)]
    out: list[list[Any]] = []
    groups = [("everyone", np.ones(len(anchors.contributors), dtype=bool), base)]
    for name in dict.fromkeys(removed.subset):
        chosen = np.array([subset == name for subset in removed.subset])
        groups.append((name, removed.members[chosen][0], removed.value[chosen]))
    for name, members, value in groups:
        names: list[str] | int = [n for n, present in zip(anchors.contributors, members, strict=True) if present]
        if len(members) > NAMED:
            names = int(members.sum())
        change, low, high = relative_change(value, base, anchors.transform) if name != "everyone" else (0.0, 0.0, 0.0)
        found: list[object] = [change, low, high, ""]
        if name == "everyone":
            found = ["", "", "", "the base of the changes"]
        elif np.isnan(change):
            found = ["", "", "", "not estimable: the property of everyone's model is 0"]
        spread = float(np.std(value, ddof=1)) if len(value) > 1 else ""
        out.append([name, json.dumps(names, ensure_ascii=False), len(value), float(np.mean(value)), spread, *found])
    return out
