"""Linear datamodeling score: do sums of values rank retrained models as their measured property does?

Source: Park et al., TRAK, arXiv 2303.14186, definition 2.2, with contributors in the place of images. The
prediction for a subset is the sum of its contributors' values; the truth is the mean over training seeds.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from diffusion_credit.base.tables import PREDICTION, Subsets
from diffusion_credit.credit.utilities import read_utilities
from diffusion_credit.evaluation.resampling import by_subset, pearson, ranks, spearman, with_interval

Predictor = np.ndarray | Callable[[np.ndarray], np.ndarray]

HEADER = [
    "alpha", "predictor", "subsets", "replicates", "lds", "low", "high", "corrected", "by_seed", "singled_out",
    "presence", "within", "within_low", "within_high", "note",
]  # fmt: skip
TEXT = {"alpha", "predictor", "singled_out", "note"}


def predictions(tables: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> dict[str, Predictor]:
    """Predictors by the name of their row, each fitted to an estimator's tables and the cheap ones beside them."""
    from diffusion_credit.credit.prediction import Predictor as Fitted  # scipy takes its time

    return {f"{name}{PREDICTION}": Fitted(read_utilities(*of)) for name, of in tables.items()}


def references(n: int, images: np.ndarray | None, higher_is_better: bool) -> dict[str, np.ndarray]:
    """What a predictor must beat: the number of contributors, and of images (n,) where it is known.

    Both say that more is better, hence their sign is turned where lower is better.
    """
    sign = 1.0 if higher_is_better else -1.0
    counted = {} if images is None else {"image_count": sign * images}
    return {"subset_size": np.full(n, sign), **counted}


def scores(tables: dict[str, Subsets], predictors: Mapping[str, Predictor], seed: int) -> list[list[Any]]:
    """Rows of lds.csv.

    tables: alpha -> retrained held-out subsets with values. predictors: name -> value of each contributor (n,), the
    `references` (`subset_size` is constant at one alpha, hence only estimable pooled), or functions that predict F of
    subsets (k, n). Each alpha also gets
    `noise_floor`, the mean correlation of two independent retrainings of the same subsets. Several alphas are also
    pooled.

    corrected: the LDS over the root of the measured means' reliability, which Spearman and Brown's formula gives
    from the floor (doi 10.2307/1412159); what the LDS would be with endless retraining. by_seed: the mean of the LDS
    over single training seeds, as the code of arXiv 2407.03153 has it. singled_out: the contributor whose value is
    farthest from the mean; presence: the LDS of being with or without them alone; within: the LDS among subsets that
    are alike in that, of ranks within either kind. So a score that rests on one contributor is seen to.
    """
    contributors = next(iter(tables.values())).contributors
    found = predicted(tables, predictors, seed)
    rows = []
    for at, (alpha, (members, values)) in enumerate(pooled_data(tables).items()):
        k, r = values.shape
        floor = (
            with_interval(partial(_repeatability, values), k, seed)
            if r > 1
            else ["", "", "", "not estimable: one seed"]
        )
        for name in predictors:
            _, lds, low, high, note = found[name][at]
            predictor = predictors[name]
            each = sums(predictor, members)
            by_seed = np.mean([spearman(each, values[:, replicate]) for replicate in range(r)])
            alone: list[object] = [""] * 5
            if not callable(predictor) and np.ptp(predictor) and lds != "":
                alone = _of_one(predictor, members, each, values.mean(axis=1), contributors, seed)
            corrected = _corrected(lds, floor[0], r)
            mean: object = "" if np.isnan(by_seed) else float(by_seed)
            rows.append([alpha, name, k, r, lds, low, high, corrected, mean, *alone, note])
        rows.append([alpha, "noise_floor", k, r, *floor[:3], *[""] * 7, floor[3]])
    return rows


def predicted(tables: dict[str, Subsets], predictors: Mapping[str, Predictor], seed: int) -> dict[str, list[list[Any]]]:
    """Predictor -> a row (alpha, LDS, low, high, note) for each alpha and for all pooled."""
    rows: dict[str, list[list[Any]]] = {name: [] for name in predictors}
    for alpha, (members, values) in pooled_data(tables).items():
        for name, predictor in predictors.items():
            statistic = partial(_agreement, sums(predictor, members), values.mean(axis=1))
            rows[name].append([alpha, *with_interval(statistic, len(values), seed)])
    return rows


def sums(predictor: Predictor, members: np.ndarray) -> np.ndarray:
    """What a predictor says of each subset (k,): its own word, or the sum of its values. members: (k, n) bool."""
    found: np.ndarray = predictor(members) if callable(predictor) else members @ predictor
    return found


def pooled_data(tables: dict[str, Subsets]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Members and values of every alpha's subsets, and of all together when they have as many replicates."""
    data = {alpha: by_subset(table) for alpha, table in tables.items()}
    if len(data) > 1 and len({values.shape[1] for _, values in data.values()}) == 1:
        members, values = (np.concatenate(parts) for parts in zip(*data.values(), strict=True))
        data["pooled"] = members, values
    return data


def _corrected(lds: object, floor: object, replicates: int) -> object:
    """Empty unless there is a positive floor."""
    if not isinstance(lds, float) or not isinstance(floor, float) or floor <= 0:
        return ""
    reliability = replicates * floor / (1 + (replicates - 1) * floor)
    return max(-1.0, min(1.0, lds / reliability**0.5))


def _of_one(
    value: np.ndarray,
    members: np.ndarray,
    found: np.ndarray,
    measured: np.ndarray,
    contributors: Sequence[str],
    seed: int,
) -> list[object]:
    """Fields from `singled_out` on."""
    away = value - value.mean()
    one = int(np.abs(away).argmax())
    present = members[:, one]
    presence = float(spearman(np.sign(away[one]) * present, measured))
    within = with_interval(partial(_agreement_within, found, measured, present), len(measured), seed)[:3]
    return [contributors[one], "" if np.isnan(presence) else presence, *within]


def _agreement_within(found: np.ndarray, measured: np.ndarray, present: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    chosen = present[subsets]
    return pearson(_ranks_within(found[subsets], chosen), _ranks_within(measured[subsets], chosen))


def _ranks_within(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Ranks among the chosen and among the others, each less their mean: (draws, subsets)."""
    found = ranks(ranks(values) + chosen * (values.shape[-1] + 1))
    for kind in (chosen, ~chosen):
        count = np.maximum(kind.sum(axis=-1, keepdims=True), 1)
        found = found - kind * (found * kind).sum(axis=-1, keepdims=True) / count
    return found


def _agreement(predicted: np.ndarray, measured: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    return spearman(predicted[subsets], measured[subsets])


def _repeatability(values: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    pairs = combinations(range(values.shape[1]), 2)
    return np.mean([spearman(values[subsets, a], values[subsets, b]) for a, b in pairs], axis=0)
