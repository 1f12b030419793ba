"""Do cheap utilities follow retrained ones? Correlation over the same held-out subsets."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from diffusion_credit.base.tables import Subsets
from diffusion_credit.evaluation.resampling import by_subset, pearson, spearman, with_interval

HEADER = ["alpha", "regime", "correlation", "subsets", "replicates", "estimate", "low", "high", "note"]


def correlations(retrained: dict[str, Subsets], cheap: dict[str, dict[str, Subsets]], seed: int) -> list[list[Any]]:
    """Rows of fidelity.csv. retrained: alpha -> table; cheap: regime -> alpha -> table of the same subsets.

    Both sides are means over training seeds.
    """
    rows = []
    for alpha, table in retrained.items():
        _, truth = by_subset(table)
        k, r = truth.shape
        for regime, tables in cheap.items():
            _, other = by_subset(tables[alpha])
            for name, correlate in (("pearson", pearson), ("spearman", spearman)):
                statistic = partial(_correlation, correlate, truth.mean(axis=1), other.mean(axis=1))
                rows.append([alpha, regime, name, k, r, *with_interval(statistic, k, seed)])
    return rows


def _correlation(
    correlate: Callable[[np.ndarray, np.ndarray], np.ndarray], truth: np.ndarray, other: np.ndarray, subsets: np.ndarray
) -> np.ndarray:
    return correlate(truth[subsets], other[subsets])
