"""Semivalues: averages of marginal contributions by the number of predecessors, P(k) for k = 0..n-1."""

from dataclasses import dataclass
from math import comb

import numpy as np
from scipy.special import betaln

from diffusion_credit.base.errors import UserError
from diffusion_credit.credit.estimates import Estimate, Interval
from diffusion_credit.credit.regression import Regression, gaps, kernel, ridge, sampling_distribution
from diffusion_credit.credit.utilities import Utilities, ends_variance, pooled, satterthwaite

REPLICATES_NEEDED = 5  # rows beyond the first of a subset, for the noise of a size
ALL = "definition, all subsets"
UNBIASED = "least squares without penalty, CR2"


def shapley(n: int) -> np.ndarray:
    """Every number of predecessors is equally likely: (n,)."""
    return np.full(n, 1 / n)


def banzhaf(n: int) -> np.ndarray:
    """Every subset of the others is equally likely: (n,)."""
    return np.array([comb(n - 1, k) / 2 ** (n - 1) for k in range(n)])


def leave_one_out(n: int) -> np.ndarray:
    """What is lost without the contributor: all others are there: (n,)."""
    return np.append(np.zeros(n - 1), 1.0)


def beta_shapley(n: int, alpha: float, beta: float) -> np.ndarray:
    """Beta(alpha, beta) Shapley (arXiv 2110.14049, equation 5): alpha > beta favours small subsets: (n,)."""
    k = np.arange(n)
    choices = -np.log(n) - betaln(n - k, k + 1)  # log of n - 1 choose k
    return np.exp(choices + betaln(k + beta, n - 1 - k + alpha) - betaln(beta, alpha))


def missing(game: Utilities) -> int:
    """How many of the 2^n - 2 proper subsets have no row."""
    return int(2**game.n - 2 - len(game.by_subset[1]))


def exact(game: Utilities, predecessors: np.ndarray, fit: str) -> Estimate:
    """The definition, on all 2^n subsets; the interval is that of the means over replicates."""
    n = game.n
    members, value, rows, variance, freedom = game.by_subset
    size = members.sum(axis=1)
    each = predecessors / np.array([comb(n - 1, k) for k in range(n)], dtype=float)
    coefficient = np.where(members, each[size - 1][:, None], -each[np.minimum(size, n - 1)][:, None])
    ends = predecessors[-1] * game.everyone.mean() - predecessors[0] * game.empty.mean()
    values = coefficient.T @ value + ends
    if not freedom:
        return Estimate(values, fit, None, "interval not estimable: no subset has a second row")
    level, level_freedom, note = ends_variance(game, predecessors[-1], predecessors[0])
    covariance = (coefficient * (variance / rows)[:, None]).T @ coefficient
    freedoms = np.full(n, float(freedom))
    return Estimate(values, fit, Interval(values, covariance, freedoms, level, level_freedom, level, fit), note)


@dataclass(frozen=True)
class Level:
    """The mean of all values. variance, freedom: of it. floor: the part of the variance that is the ends'."""

    value: float
    variance: float
    freedom: float
    floor: float
    note: str


def mean_value(game: Utilities, predecessors: np.ndarray) -> Level:
    """The sum over sizes of (P(s - 1) - P(s)) times the mean utility of the size; for Shapley only the ends count.

    A size without rows lies on the line between its neighbours.
    """
    n = game.n
    weight = np.append(0.0, predecessors) - np.append(predecessors, 0.0)
    size = game.members.sum(axis=1)
    rows = np.bincount(size, minlength=n + 1)
    means = np.bincount(size, weights=game.value, minlength=n + 1) / np.maximum(rows, 1)
    means[0], means[-1] = game.empty.mean(), game.everyone.mean()
    nodes = np.concatenate([[0], np.flatnonzero(rows), [n]])
    weight = np.stack([np.interp(np.arange(n + 1), nodes, unit) for unit in np.eye(len(nodes))]) @ weight
    floor, floor_freedom, note = ends_variance(game, weight[-1], weight[0])
    left = len(size) - len(nodes) + 2
    within = float(((game.value - means[size]) ** 2).sum()) / max(left, 1)
    inner = float((weight[1:-1] ** 2 / rows[nodes[1:-1]]).sum()) * within
    variance, freedom = satterthwaite([(floor, floor_freedom), (inner, max(left, 1))])
    return Level(float(weight @ means[nodes]), variance, freedom, floor, note)


def regression_of(game: Utilities, predecessors: np.ndarray) -> Regression:
    """The regression of a semivalue: replicates of a subset are one row, as heavy as they are many."""
    members, value, rows, _, _ = game.by_subset
    return Regression.of(members, value, kernel(predecessors), rows.astype(float), noise_of_means(game, members, rows))


def noise_of_means(game: Utilities, members: np.ndarray, rows: np.ndarray) -> np.ndarray | None:
    """Variance by training of each subset's mean (subsets,), from replicates of its size, or None without enough.

    Sizes with few replicates get the largest variance that others show.
    """
    every, size = game.members.sum(axis=1), members.sum(axis=1)
    variances = np.full(game.n, np.nan)
    for s in np.unique(every):
        _, _, _, variance, freedom = pooled(game.members[every == s], game.value[every == s])
        if freedom >= REPLICATES_NEEDED:
            variances[s] = variance
    if np.isnan(variances).all():
        return None
    return np.where(np.isnan(variances), np.nanmax(variances), variances)[size] / rows


def regularised(game: Utilities, predecessors: np.ndarray) -> Estimate:
    """Values by ridge on the differences between contributors, moved to the mean that the sizes give.

    The interval is that of the same regression without penalty; there is none when the table has no subsets of the
    sizes that count.
    """
    regression, level = regression_of(game, predecessors), mean_value(game, predecessors)
    values, note = ridge(regression)
    lacking = [
        f"{text}: these are values of the sizes that are there" for _, text in gaps(game.members, kernel(predecessors))
    ]
    fit = lacking[0] if lacking else sampling_distribution(regression)
    found = None
    if not isinstance(fit, str):
        center = fit[0] + level.value
        found = Interval(center, fit[1], fit[2], level.variance, level.freedom, level.floor, UNBIASED)
        fit = ""
    notes = "; ".join(text for text in (note, fit, level.note) if text)
    return Estimate(values + level.value, "ridge on the differences", found, notes)


def estimate(game: Utilities, predecessors: np.ndarray) -> Estimate:
    """A semivalue by its definition where all subsets are there, else by ridge regression."""
    if not missing(game):
        return exact(game, predecessors, ALL)
    return regularised(game, predecessors)


def singles(game: Utilities, chosen: np.ndarray, end: np.ndarray, sign: int, rows: str) -> Estimate:
    """sign * (mean F of the subset that singles a contributor out - mean F of an end), for each contributor.

    chosen: (rows, n) bool, in which a row that singles someone out has one True. Raises UserError naming the
    contributors without a row.
    """
    single = chosen.sum(axis=1) == 1
    who = np.argmax(chosen[single], axis=1)
    value = game.value[single]
    count = np.bincount(who, minlength=game.n)
    if not count.all():
        lacking = [game.contributors[i] for i in np.flatnonzero(count == 0)]
        raise UserError(
            f"utilities: found no row of {rows} for {len(lacking)} contributor(s) such as {lacking[0]},"
            f" expected one for each of {game.n}"
        )
    mean = np.bincount(who, weights=value, minlength=game.n) / count
    values = sign * (mean - end.mean())
    freedom = len(value) - game.n
    if not freedom or len(end) < 2:
        note = "interval not estimable: needs second rows of a single subset and of the end"
        return Estimate(values, rows, None, note)
    variance = float(((value - mean[who]) ** 2).sum() / freedom)
    level = float(np.var(end, ddof=1) / len(end))
    freedoms = np.full(game.n, float(freedom))
    return Estimate(
        values, rows, Interval(values, np.diag(variance / count), freedoms, level, len(end) - 1, level, rows)
    )
