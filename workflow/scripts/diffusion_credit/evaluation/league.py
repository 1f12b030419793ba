"""All methods side by side: how well they rank the same held-out models, what their top is worth, what they cost."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.tables import Subsets
from diffusion_credit.credit.attribution import Estimator
from diffusion_credit.credit.utilities import Utilities
from diffusion_credit.evaluation.counterfactual import relative_change
from diffusion_credit.evaluation.lds import Predictor, pooled_data, predicted, references, scores, sums
from diffusion_credit.evaluation.methods import Method
from diffusion_credit.evaluation.resampling import spearman, with_interval

HEADER = [
    "method", "alpha", "subsets", "lds", "low", "high", "lead", "lead_low", "lead_high", "without_top_percent",
    "without_top_low", "without_top_high", "seconds", "made_of", "note",
]  # fmt: skip
COST_HEADER = ["method", "alpha", "subsets", "seconds", "lds", "low", "high", "note"]
POINTS = 8  # of a method's curve
FLOOR = "noise_floor"
PREDICTED = "what models of these subsets are expected to be, by the process itself"
REFERENCES = {
    "image_count": "number of images",
    "subset_size": "number of contributors",
    FLOOR: "another retraining of the same subsets",
}


def rows(
    tables: dict[str, Subsets],
    methods: Sequence[Method],
    main: str,
    everyone: np.ndarray,
    counts: np.ndarray,
    higher_is_better: bool,
    predictions: Mapping[str, Predictor],
    seed: int,
) -> list[list[Any]]:
    """Rows of league.csv. tables: alpha -> retrained held-out subsets. everyone: F of retrained models of everyone.

    predictions: name -> function that predicts F of subsets, which credits nobody. `lead` is the LDS minus that of the
    method named `main`, on the same resamples of subsets. The last rows of each alpha are no methods: REFERENCES.
    counts: images of each contributor (n,).
    """
    found: list[list[Any]] = []
    by_name = {method.name: method for method in methods}
    predictors: dict[str, Predictor] = {name: method.value for name, method in by_name.items()}
    predictors.update(predictions)
    predictors.update(references(len(counts), counts, higher_is_better))
    scored = predicted(tables, predictors, seed)
    floors = {row[0]: row for row in scores(tables, {}, seed) if row[1] == FLOOR}
    transform = next(iter(tables.values())).transform
    for at, (alpha, (members, values)) in enumerate(pooled_data(tables).items()):
        measured = values.mean(axis=1)
        other = sums(predictors[main], members)
        for name, predictor in predictors.items():
            method = by_name.get(name)
            _, lds, low, high, note = scored[name][at]
            lead = with_interval(partial(_lead, sums(predictor, members), other, measured), len(values), seed)[:3]
            change: Sequence[Any] = ("", "", "")
            if method and method.removed is not None:
                change = [x if np.isfinite(x) else "" for x in relative_change(method.removed, everyone, transform)]
            cost: Any = ""
            if method:
                fixed, each = method.cost
                cost = round(fixed + sum(each.values()), 1)
            made_of = method.made_of if method else REFERENCES.get(name, PREDICTED)
            lead = ["", "", ""] if name == main else lead
            notes = "; ".join(each for each in (note, method.note if method else "") if each)
            found.append([name, alpha, len(values), lds, low, high, *lead, *change, cost, made_of, notes])
        _, _, subsets, _, lds, low, high, *_, note = floors[alpha]
        found.append([FLOOR, alpha, subsets, lds, low, high, *[""] * 7, REFERENCES[FLOOR], note])
    return found


def _lead(one: np.ndarray, other: np.ndarray, measured: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    return spearman(one[subsets], measured[subsets]) - spearman(other[subsets], measured[subsets])


def curve(
    method: Method,
    game: Utilities | None,
    order: Sequence[str],
    refit: Estimator | None,
    options: dict[str, Any],
    tables: dict[str, Subsets],
    seed: int,
) -> list[list[Any]]:
    """Rows of cost.csv of one method: LDS by the seconds that it took, with the first of its subsets, and more.

    game: None for a method without subsets, which is one point. order: names of the subsets of `game`, as they come.
    """
    fixed, each = method.cost
    points: list[tuple[Any, float, np.ndarray | None, str]] = []
    if game is None or refit is None:
        points.append(("", fixed, method.value, ""))
    else:
        for at in sorted({max(1, len(order) * point // POINTS) for point in range(1, POINTS + 1)}):
            seconds = fixed + sum(each.get(name, 0.0) for name in order[:at])
            try:
                points.append((at, seconds, refit(game.head(at), options).value, ""))
            except UserError as refusal:
                points.append((at, seconds, None, f"not estimable: {refusal}"))
    found = []
    for count, seconds, value, note in points:
        scored = [[alpha, "", "", "", note] for alpha in tables]
        if value is not None:
            scored = predicted(tables, {method.name: value}, seed)[method.name]
        found += [[method.name, alpha, count, round(seconds, 1), *rest] for alpha, *rest in scored]
    return found
