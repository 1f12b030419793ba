"""What the property is expected to be without each contributor, and whether such predictions hold when retrained."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffusion_credit.base.tables import Subsets
from diffusion_credit.credit.prediction import Prediction

HEADER = [
    "without", "contributors", "expected", "low", "high", "change", "change_low", "change_high", "measured_change",
]  # fmt: skip
LEFT_OUT = {  # by the subset of the counterfactual
    "without_top": "the top",
    "only_top": "all but the top",
    "without_bottom": "the bottom",
}


def kept(contributors: int, removed: Subsets) -> np.ndarray:
    """Who stays when each contributor is left out, and then in the subsets of the counterfactual: (n + 3, n) bool."""
    subsets = [removed.members[removed.subset.index(name)] for name in LEFT_OUT]
    return np.concatenate([~np.eye(contributors, dtype=bool), subsets])


def rows(contributors: Sequence[str], found: Prediction, removed: Subsets, anchors: Subsets) -> list[list[Any]]:
    """Rows of removal.csv. found: F of the subsets `kept`. removed, anchors: retrained models.

    measured_change: from the mean of retrained models of everyone to that of ones without these contributors.
    """
    assert removed.value is not None and anchors.value is not None
    everyone = anchors.value[anchors.members.all(axis=1)].mean()
    measured: list[Any] = [""] * len(contributors)
    for name in LEFT_OUT:
        chosen = [subset == name for subset in removed.subset]
        measured.append(float(removed.value[chosen].mean() - everyone))
    count = (~kept(len(contributors), removed)).sum(axis=1)
    numbers = (found.expected, found.low, found.high, found.change, found.change_low, found.change_high)
    return [
        [name, int(count[at]), *(float(each[at]) for each in numbers), measured[at]]
        for at, name in enumerate([*contributors, *LEFT_OUT.values()])
    ]
