"""How many subsets are enough: a target for the largest standard error, looked at after whole batches only."""

import math
from typing import Any

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.tables import Subsets
from diffusion_credit.credit.attribution import Estimator
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.credit.regression import PAIRS_NEEDED
from diffusion_credit.credit.utilities import Utilities, split
from diffusion_credit.evaluation.lds import predicted

POINTS = 20  # of the budget curve
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

    tables: property -> utilities of the same subsets. targets: property -> largest standard error. The error falls
    with the root of the number of subsets, but for the noise of the ends; a target below that takes the maximum. From
    one look to the next the subsets at most double.
    """
    errors: dict[str, float | None] = {}
    reasons, wanted = {}, [0]
    for name, table in tables.items():
        game = split(table)
        count, errors[name] = len(game.value), None
        try:
            found = estimate(game, options)
        except UserError as refusal:
            found = Estimate(np.full(game.n, np.nan), "", None, f"not estimable: {refusal}")
        if found.interval is None:
            reasons[name] = found.note
            wanted.append(max(count + batch, 2 * PAIRS_NEEDED * game.n))
            continue
        error = errors[name] = float(found.interval.standard_error.max())
        reasons[name] = f"largest standard error {error:.4g}, target {targets[name]:.4g}: "
        above = targets[name] ** 2 - found.interval.floor
        if error <= targets[name]:
            reasons[name] += "met"
        elif above <= 0:
            ends = math.sqrt(found.interval.floor)
            reasons[name] += f"out of reach, the ends alone give {ends:.4g} (more design.anchors lower it)"
            wanted.append(maximum + batch)
        else:
            reasons[name] += "not met"
            rows = count * (error**2 - found.interval.floor) / above
            wanted.append(min(math.ceil(rows * (1 - 1e-9)), 2 * count))  # a small pilot may err widely
    enough = max(wanted) <= count
    if not enough and count >= maximum:
        reasons = {name: f"{text}; {maximum} subsets are the maximum" for name, text in reasons.items()}
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

    At most POINTS numbers of batches, evenly spread. held_out: alpha -> retrained subsets. What is not estimable is
    an empty field with the reason in `note`.
    """
    rows: list[list[Any]] = []
    batches = len(game.value) // batch
    stated = "" if target is None else target
    for at in sorted({math.ceil(batches * point / POINTS) for point in range(1, POINTS + 1)}):
        found: dict[str, Estimate] = {}
        for name, (estimate, options) in estimators.items():
            try:
                found[name] = estimate(game.head(at * batch), options)
            except UserError as refusal:
                rows.append([at * batch, name, "", stated, "", "", "", "", f"not estimable: {refusal}"])
        scored = predicted(held_out, {name: one.value for name, one in found.items()}, seed)
        for name, one in found.items():
            error = float(one.interval.standard_error.max()) if one.interval else ""
            for alpha, lds, low, high, note in scored[name] or [[""] * 5]:
                both = "; ".join(text for text in (one.note, str(note)) if text)
                rows.append([at * batch, name, error, stated, alpha, lds, low, high, both])
    return rows
