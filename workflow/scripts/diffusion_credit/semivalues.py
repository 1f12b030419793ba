"""Semivalues: averages of marginal contributions by the number of predecessors, P(k) for k = 0..n-1."""

from math import comb

import numpy as np
from scipy.special import betaln

from diffusion_credit.errors import UserError
from diffusion_credit.estimates import Estimate, Interval
from diffusion_credit.regression import Regression, kernel, ridge, sampling_distribution
from diffusion_credit.utilities import Utilities, ends_variance

UNBIASED = "least squares without penalty, CR2 by pair"


def shapley(n: int) -> np.ndarray:
    """Every number of predecessors is equally likely: (n,)."""
    return np.full(n, 1 / n)


def banzhaf(n: int) -> np.ndarray:
    """Every subset of the others is equally likely: (n,)."""
    return np.array([comb(n - 1, k) / 2 ** (n - 1) for k in range(n)])


def beta_shapley(n: int, alpha: float, beta: float) -> np.ndarray:
    """Beta(alpha, beta) Shapley (arXiv 2110.14049, equation 5): alpha > beta favours small subsets: (n,)."""
    k = np.arange(n)
    choices = -np.log(n) - betaln(n - k, k + 1)  # log of n - 1 choose k
    return np.exp(choices + betaln(k + beta, n - 1 - k + alpha) - betaln(beta, alpha))


def missing(game: Utilities) -> int:
    """How many of the 2^n - 2 proper subsets have no row."""
    return int(2**game.n - 2 - len(game.by_subset()[1]))


def exact(game: Utilities, predecessors: np.ndarray, fit: str) -> Estimate:
    """The definition, on all 2^n subsets; the interval is that of the means over replicates."""
    n = game.n
    members, value, rows, variance, freedom = game.by_subset()
    size = members.sum(axis=1)
    each = predecessors / np.array([comb(n - 1, k) for k in range(n)], dtype=float)
    coefficient = np.where(members, each[size - 1][:, None], -each[np.minimum(size, n - 1)][:, None])
    ends = predecessors[-1] * game.everyone.mean() - predecessors[0] * game.empty.mean()
    values = coefficient.T @ value + ends
    if not freedom:
        return Estimate(values, fit, None, "not estimable: no subset has a second row")
    spread, level_freedom, note = weighted_ends(game, predecessors)
    covariance = (coefficient * (variance / rows)[:, None]).T @ coefficient
    return Estimate(
        values, fit, Interval(values, covariance, np.full(n, float(freedom)), spread, level_freedom, fit), note
    )


def weighted_ends(game: Utilities, predecessors: np.ndarray) -> tuple[float, float, str]:
    """Variance that the noise of both ends gives every value, its degrees of freedom, and a note."""
    scaled = Utilities(
        game.contributors, game.members, game.value, predecessors[-1] * game.everyone, predecessors[0] * game.empty
    )
    return ends_variance(scaled)


def mean_value(game: Utilities, predecessors: np.ndarray) -> tuple[float, float, float, str]:
    """Mean of all values, its variance, degrees of freedom, and a note.

    It is the sum over sizes of (P(s - 1) - P(s)) times the mean utility of the size. For Shapley only the ends
    count. A size without rows lies on the line between its neighbours.
    """
    n = game.n
    weight = np.append(0.0, predecessors) - np.append(predecessors, 0.0)
    size = game.members.sum(axis=1)
    rows = np.bincount(size, minlength=n + 1)
    sums = np.bincount(size, weights=game.value, minlength=n + 1)
    seen = np.flatnonzero(rows)
    heights = np.r_[game.empty.mean(), sums[seen] / rows[seen], game.everyone.mean()]
    heights = np.interp(np.arange(n + 1), np.r_[0, seen, n], heights)
    variance, freedom, note = weighted_ends(game, predecessors)
    inner = weight[1:-1]
    if np.abs(inner).max(initial=0.0) > 1e-12:
        within = ((game.value - (sums / np.maximum(rows, 1))[size]) ** 2).sum() / max(len(size) - len(seen), 1)
        counts = rows[1:-1]
        share = np.divide(inner**2, counts, out=np.zeros(n - 1), where=counts > 0).sum()
        variance, freedom = variance + share * within, float(max(len(size) - len(seen), 1))
    return float(weight @ heights), variance, freedom, note


def regularised(game: Utilities, predecessors: np.ndarray) -> Estimate:
    """Values by ridge on the differences between contributors, moved to the mean that the sizes give."""
    values, note = ridge(Regression.of(game.members, game.value, kernel(predecessors)))
    found, why = interval(game, predecessors)
    note = "; ".join(text for text in (note, why) if text)
    return Estimate(values + mean_value(game, predecessors)[0], "ridge on the differences", found, note)


def interval(game: Utilities, predecessors: np.ndarray) -> tuple[Interval | None, str]:
    """The interval of the unregularised fit, or None; and a note."""
    fit = sampling_distribution(Regression.of(game.members, game.value, kernel(predecessors)))
    if isinstance(fit, str):
        return None, fit
    beta, covariance, freedom = fit
    level, variance, level_freedom, note = mean_value(game, predecessors)
    return Interval(beta + level, covariance, freedom, variance, level_freedom, UNBIASED), note


def estimate(game: Utilities, predecessors: np.ndarray) -> Estimate:
    """A semivalue by its definition where all subsets are there, else by ridge regression."""
    if not missing(game):
        return exact(game, predecessors, "definition, all subsets")
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
        return Estimate(values, rows, None, "not estimable: needs second rows of a single subset and of the end")
    variance = float(((value - mean[who]) ** 2).sum() / freedom)
    level = float(np.var(end, ddof=1) / len(end))
    return Estimate(
        values,
        rows,
        Interval(values, np.diag(variance / count), np.full(game.n, float(freedom)), level, len(end) - 1, rows),
    )
