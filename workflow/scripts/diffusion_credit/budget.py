"""How many subsets are enough: a target for the largest standard error, looked at after whole batches only."""

import math
from typing import Any

from diffusion_credit.attribution import Estimator
from diffusion_credit.errors import UserError
from diffusion_credit.evaluation.lds import scores
from diffusion_credit.regression import PAIRS_NEEDED
from diffusion_credit.tables import Subsets
from diffusion_credit.utilities import Utilities, split

HEADER = ["subsets", "estimator", "standard_error", "target", "alpha", "lds", "low", "high", "note"]


def look(
    tables: dict[str, Subsets],
    estimate: Estimator,
    options: dict[str, Any],
    targets: dict[str, float],
    batch: int,
    maximum: int,
) -> dict[str, Any]:
    """Are the values of every property sure enough? And if not, how many batches will probably do?

    tables: property -> utilities of the same subsets. targets: property -> largest standard error. The error of the
    contrasts falls with the root of the number of subsets; that of the ends does not, and a target below it is
    given up at once.
    """
    errors: dict[str, float | None] = {}
    reasons, wanted = {}, [0]
    for name, table in tables.items():
        game = split(table)
        found = estimate(game, options)
        count, errors[name] = len(game.value), None
        if found.interval is None:
            reasons[name] = found.note
            wanted.append(max(count + batch, 2 * PAIRS_NEEDED * game.n))
            continue
        error = errors[name] = float(found.interval.standard_error.max())
        floor = found.interval.level
        if error <= targets[name]:
            reasons[name] = f"largest standard error {error:.4g}, target {targets[name]:.4g}: met"
        elif targets[name] ** 2 <= floor:
            reasons[name] = (
                f"largest standard error {error:.4g}, target {targets[name]:.4g}: out of reach, the ends alone give"
                f" {math.sqrt(floor):.4g} (more design.anchors lower it)"
            )
        else:
            reasons[name] = f"largest standard error {error:.4g}, target {targets[name]:.4g}: not met"
            rows = count * (error**2 - floor) / (targets[name] ** 2 - floor)
            wanted.append(math.ceil(rows * (1 - 1e-9)))
    enough = max(wanted) <= count
    following = min(max(math.ceil(max(wanted) / batch), count // batch + 1), maximum // batch)
    return {
        "subsets": count,
        "largest_standard_error": errors,
        "targets": targets,
        "reasons": reasons,
        "next_batches": None if enough or count >= maximum else following,
    }


def curve(
    game: Utilities,
    held_out: dict[str, Subsets],
    estimators: dict[str, tuple[Estimator, dict[str, Any]]],
    batch: int,
    target: float | None,
    seed: int,
) -> list[list[Any]]:
    """Rows of budget.csv: the largest standard error and the LDS with the first batch, the first two, and so on.

    held_out: alpha -> retrained subsets. What is not estimable is an empty field with the reason in `note`.
    """
    rows: list[list[Any]] = []
    for count in range(batch, len(game.value) + 1, batch):
        for name, (estimate, options) in estimators.items():
            stated = "" if target is None else target
            try:
                found = estimate(game.head(count), options)
            except UserError as refusal:
                rows.append([count, name, "", stated, "", "", "", "", f"not estimable: {refusal}"])
                continue
            error = float(found.interval.standard_error.max()) if found.interval else ""
            if not held_out:
                rows.append([count, name, error, stated, "", "", "", "", found.note])
                continue
            for alpha, predictor, _, _, lds, low, high, _, note in scores(held_out, {name: found.value}, None, seed):
                if predictor == name:
                    both = "; ".join(text for text in (found.note, str(note)) if text)
                    rows.append([count, name, error, stated, alpha, lds, low, high, both])
    return rows
