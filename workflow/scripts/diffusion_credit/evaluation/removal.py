"""What the property is expected to be without each contributor, and whether such predictions hold when retrained."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffusion_credit.base.scale import Transform
from diffusion_credit.base.tables import Subsets
from diffusion_credit.credit.prediction import NUMBERS, Prediction

HEADER = ["without", "contributors", *NUMBERS, "measured_change", "transform", "note"]
LEFT_OUT = {  # by the subset of the counterfactual
    "without_top": "the top",
    "only_top": "all but the top",
    "without_bottom": "the bottom",
}


def kept(contributors: int, removed: Subsets) -> np.ndarray:
    """Who stays when each contributor is left out, and then in the subsets of the counterfactual: (n + 3, n) bool."""
    subsets = [removed.members[removed.subset.index(name)] for name in LEFT_OUT]
    return np.concatenate([~np.eye(contributors, dtype=bool), subsets])


def rows(
    contributors: Sequence[str], found: Prediction, removed: Subsets, anchors: Subsets, transform: Transform
) -> list[list[Any]]:
    """Rows of removal.csv. found: F of the subsets `kept`. removed, anchors: retrained models.

    measured_change: from the mean of retrained models of everyone to that of ones without these contributors.
    transform: the scale of all these.
    """
    assert removed.value is not None and anchors.value is not None
    everyone = anchors.value[anchors.members.all(axis=1)].mean()
    measured: list[Any] = [""] * len(contributors)
    for name in LEFT_OUT:
        chosen = [subset == name for subset in removed.subset]
        measured.append(float(removed.value[chosen].mean() - everyone))
    count = (~kept(len(contributors), removed)).sum(axis=1)
    return [
        [name, int(count[at]), *found.cells(at), measured[at], transform, found.note[at]]
        for at, name in enumerate([*contributors, *LEFT_OUT.values()])
    ]
