"""Do cheap utilities follow retrained ones? Correlation over the same held-out subsets."""

from typing import Any

import numpy as np

from diffusion_credit.evaluation.resampling import by_subset, cells, interval, pearson, spearman
from diffusion_credit.tables import Subsets

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

                def score(subsets: np.ndarray, seeds: np.ndarray, correlate: Any = correlate, other: Any = other) -> float:
                    chosen = subsets[:, None], seeds
                    result: float = correlate(truth[chosen].mean(axis=1), other[chosen].mean(axis=1))
                    return result

                everything = np.arange(k), np.tile(np.arange(r), (k, 1))
                rows.append([alpha, regime, name, k, r, *cells(score(*everything), *interval(score, k, r, seed))])
    return rows
