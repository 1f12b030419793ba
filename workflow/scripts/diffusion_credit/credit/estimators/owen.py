"""Owen values: credit in two levels, to groups of contributors and on to the contributors within each.

A group's values sum to the Shapley value of the group among groups; within a group a contributor's share is that of
orders of arrival in which groups stay together. Source: Owen 1977, doi 10.1007/978-3-642-45494-3_7.
"""

from typing import Any, Literal

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import EstimatorSection
from diffusion_credit.credit import semivalues
from diffusion_credit.credit.estimates import Estimate, Interval
from diffusion_credit.credit.regression import Regression, kernel, least_squares, pairs, ridge, sampling_distribution
from diffusion_credit.credit.utilities import Utilities, ends_variance, pooled
from diffusion_credit.subsets.groups import group_numbers

DESIGNS = ("owen", "all")


class Options(EstimatorSection):
    """Two levels: Shapley values of the study's `groups`, divided among the contributors of each group."""

    kind: Literal["owen"]


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Owen values, summing to the total. options["groups"]: group -> its contributors.

    Raises UserError when groups are not a partition, or a group is never split.
    """
    number = np.array(group_numbers(game.contributors, options["groups"]))
    of = [number == group for group in sorted(set(number))]
    names = [game.contributors[int(np.flatnonzero(group)[0])] for group in of]
    whole = np.stack([game.members[:, group].all(axis=1) for group in of], axis=1)
    split = ~whole & np.stack([game.members[:, group].any(axis=1) for group in of], axis=1)
    unions = ~split.any(axis=1)
    if len(of) > 1 and not unions.any():
        raise UserError("estimator owen: found no subset of whole groups, expected subsets that the design owen draws")
    top = between(Utilities(names, whole[unions], game.value[unions], game.everyone, game.empty))
    share = np.stack([group / group.sum() for group in of], axis=1)
    value, notes, known = share @ top.value, [top.note], top.interval is not None
    center, covariance, freedom = (np.zeros(shape) for shape in (game.n, (game.n, game.n), game.n))
    floor = 0.0
    if top.interval:
        center = share @ top.interval.center
        covariance = share @ (top.interval.contrasts + top.interval.level) @ share.T
        freedom += float(np.median(top.interval.freedom))
        floor = float(top.interval.floor * share.max() ** 2)
    for at, group in enumerate(of):
        inside = np.flatnonzero(group)
        if len(inside) == 1:
            continue
        rows = split[:, at] & (split.sum(axis=1) == 1)
        regression, complete = within(
            game.members[rows][:, inside], np.delete(whole[rows], at, axis=1), game.value[rows], names[at]
        )
        value[inside] += least_squares(regression) if complete else ridge(regression)[0]
        fit = sampling_distribution(regression)
        if isinstance(fit, str):
            known = False
            notes.append(f"group of {names[at]}: {fit}")
        else:
            center[inside] += fit[0]
            covariance[np.ix_(inside, inside)] += fit[1]
            freedom[inside] = np.minimum(freedom[inside], fit[2])
    interval = Interval(center, covariance, freedom, 0.0, 1.0, floor, semivalues.UNBIASED) if known else None
    note = "; ".join(text for text in notes if text)
    return Estimate(value, f"groups: {top.fit}; within: ridge on the differences", interval, note)


def between(game: Utilities) -> Estimate:
    """Shapley values of the groups, from the subsets that hold every group wholly or not at all."""
    if game.n > 1:
        return semivalues.estimate(game, semivalues.shapley(game.n))
    variance, freedom, note = ends_variance(game)
    one = np.array([game.total])
    interval = Interval(one, np.zeros((1, 1)), np.ones(1), variance, freedom, variance, "total")
    return Estimate(one, "total", interval, note)


def within(parts: np.ndarray, beside: np.ndarray, value: np.ndarray, name: str) -> tuple[Regression, bool]:
    """A group's regression, from pairs of a part and the rest of the group beside the same other groups.

    Rows go to the regression pair after pair, so that it finds the same pairs, whatever stands beside them.
    parts: (rows, members of the group). beside: (rows, other groups). Every number of other groups weighs the same.
    Also whether every part stands beside every choice of others. Raises UserError without a pair.
    """
    both, value, _, _, _ = pooled(np.hstack([parts, beside]), value)
    parts, beside = both[:, : parts.shape[1]], both[:, parts.shape[1] :]
    first, second, _ = pairs(parts, beside)
    if not len(first):
        raise UserError(
            f"estimator owen: found no pair of subsets that split the group of {name!r} beside the same whole groups,"
            " expected subsets that the design owen draws"
        )
    rows = np.stack([first, second], axis=1).ravel()
    n, others = parts.shape[1], beside.shape[1]
    count = beside[rows].sum(axis=1)
    importance = 1 / np.bincount(count, minlength=others + 1)[count]
    weights = kernel(semivalues.shapley(n))
    return Regression.of(parts[rows], value[rows], weights, importance), len(rows) == 2**others * (2**n - 2)
