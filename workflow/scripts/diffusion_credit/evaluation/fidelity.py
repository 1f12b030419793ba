"""Do cheap utilities follow retrained ones over the same held-out subsets, and cheap values those of retraining?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.seeds import generator
from diffusion_credit.base.tables import Subsets
from diffusion_credit.credit.attribution import check_contributors
from diffusion_credit.credit.estimators.gaussian_process import process_of
from diffusion_credit.credit.semivalues import shapley
from diffusion_credit.credit.utilities import read_utilities
from diffusion_credit.evaluation.resampling import by_subset, pearson, spearman, with_interval

HEADER = ["alpha", "regime", "measure", "subsets", "replicates", "estimate", "low", "high", "note"]
DRAWS = 4000


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


def of_values(cheap: Sequence[str], retrained: Sequence[str], regime: str, seed: int) -> list[list[Any]]:
    """Rows of fidelity.csv: how well Shapley values of the cheap regime follow those of retraining.

    cheap, retrained: files of utilities, of the sampled subsets and of the held-out ones. values_correlation: linear,
    between both. values_error: length of the difference over that of the retrained values, each less its mean; 1 is as
    far as equal shares are. Both by draws from a process of both regimes, whose median and 95% interval are given: few
    retrained subsets say how much values differ, if not which values are right.
    """
    from diffusion_credit.credit.process.posterior import Semivalues  # scipy takes its time

    names = ("values_correlation", "values_error")
    try:
        game = read_utilities(retrained, cheap)
        n, k = game.n, len(game.by_subset[1])
        check_contributors("gaussian-process", n)
        process = process_of(game)
    except UserError as refusal:
        return [["all", regime, name, "", "", "", "", "", f"not estimable: {refusal}"] for name in names]
    mean, covariance = process.answer(Semivalues(shapley(n), everywhere=True))
    values, vectors = np.linalg.eigh(covariance)
    normal = generator(seed, "fidelity").standard_normal((DRAWS, 2 * n))
    drawn = (mean + normal @ (vectors * np.sqrt(np.maximum(values, 0))).T).reshape(DRAWS, 2, n)
    drawn -= drawn.mean(axis=2, keepdims=True)
    length = np.linalg.norm(drawn, axis=2)
    error = np.linalg.norm(drawn[:, 0] - drawn[:, 1], axis=1) / length[:, 1]
    found = zip(names, (pearson(drawn[:, 0], drawn[:, 1]), error), strict=True)
    return [
        ["all", regime, name, k, len(game.value) // k, *(float(q) for q in np.quantile(each, [0.5, 0.025, 0.975])), ""]
        for name, each in found
    ]


def _correlation(
    correlate: Callable[[np.ndarray, np.ndarray], np.ndarray], truth: np.ndarray, other: np.ndarray, subsets: np.ndarray
) -> np.ndarray:
    return correlate(truth[subsets], other[subsets])
