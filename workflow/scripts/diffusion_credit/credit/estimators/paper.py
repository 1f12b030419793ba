"""The published Shapley estimator: least squares over the sampled subsets, constrained to the total.

Source: ICLR 2025 'An Efficient Framework for Crediting Data Contributors of Diffusion Models' and its closed
form after Covert and Lee, arXiv 2012.01536, equation 7: with A the mean of x x', b the mean of x (F(x) - F(0)),
values = A^+ (b - 1 (1'A^+ b - F(1) + F(0)) / (1'A^+ 1)).
"""

from typing import Any, Literal

import numpy as np
from scipy.special import chdtrc

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import EstimatorSection
from diffusion_credit.credit.estimates import Estimate, Interval
from diffusion_credit.credit.regression import PAIRS_NEEDED, kernel
from diffusion_credit.credit.semivalues import shapley
from diffusion_credit.credit.utilities import Utilities, ends_variance

DESIGNS = ("paper", "paired-stratified")
FIT = "constrained least squares"
PAIRED = 0.9  # share of subsets that come as often as their complements, above which a design is one of pairs
IMPOSSIBLE = 1e-6  # chance of such sizes if they were drawn from the kernel


class Options(EstimatorSection):
    """The paper's estimator: constrained least squares on the sampled subsets, in closed form."""

    kind: Literal["paper"]


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Shapley values, summing to the total, from subsets drawn from the Shapley kernel.

    Raises UserError when the sizes are not those of the kernel: the formula does not weigh them.
    """
    check_sizes(game)
    x = game.members.astype(np.float64)
    excess = game.value - game.empty.mean()
    inverse = np.linalg.pinv(x.T @ x, hermitian=True)
    free, ones = inverse @ (x.T @ excess), inverse.sum(axis=1)
    shift = ones / ones.sum()
    value = free - shift * (free.sum() - game.total)
    return Estimate(value, FIT, *interval(game, x, excess - x @ value, inverse, value))


def interval(
    game: Utilities, x: np.ndarray, residual: np.ndarray, inverse: np.ndarray, value: np.ndarray
) -> tuple[Interval | None, str]:
    """The sandwich (CR2) of the formula itself, clustered by what was drawn at once: a pair, or a single row.

    A subset that was drawn again is a further draw: its misfit is part of the sample as often as it came.
    """
    n = game.n
    side = game.members[:, 0]  # which of a pair a row is
    keys = np.packbits(np.where(side[:, None], game.members, ~game.members), axis=1)
    _, which = np.unique(keys, axis=0, return_inverse=True)
    which = which.ravel()
    rows = np.stack([np.bincount(which[side == of], minlength=which.max() + 1) for of in (False, True)])
    if rows.shape[1] < PAIRS_NEEDED * n:
        note = f"interval not estimable: {rows.shape[1]} different pairs or single subsets, needs {PAIRS_NEEDED * n}"
        different = len(game.by_subset[1])
        return None, note if different >= n else f"{note}; values not estimable: {different} subsets for {n} values"
    ones = inverse.sum(axis=1)
    shift = ones / ones.sum()
    effect = x @ (inverse - np.outer(ones, shift))  # of each row's value on the values
    left = 1 - ((x @ inverse) * x).sum(axis=1)
    scores = effect * (residual / np.sqrt(np.maximum(left, 1e-9)))[:, None]
    sampled, draws = scores.T @ scores, len(scores)
    if (rows[0] == rows[1]).mean() > PAIRED:
        # which rows of a subset and of its complement were drawn together is not known: the mean over all matchings
        a, b = (np.stack([np.bincount(which, s * (side == of)) for s in scores.T], axis=1) for of in (False, True))
        together = a.T @ (b / np.maximum(rows.max(axis=0), 1)[:, None])
        sampled, draws = sampled + together + together.T, int(rows.max(axis=0).sum())
    # F(everyone) enters by the total, F(empty) by the total and by every row
    of_empty = -effect.sum(axis=0) - shift
    ends = [(game.everyone, shift), (game.empty, of_empty)]
    noise = [np.var(end, ddof=1) / len(end) * np.outer(by, by) for end, by in ends if len(end) > 1]
    _, _, note = ends_variance(game)
    floor = float(np.diag(sum(noise, np.zeros((n, n)))).max())
    covariance = sampled + sum(noise, np.zeros((n, n)))
    return Interval(value, covariance, np.full(n, float(draws - n)), 0.0, 1.0, floor, f"{FIT}, CR2"), note


def check_sizes(game: Utilities) -> None:
    """Raises UserError when the sizes cannot be draws from the Shapley kernel, by a chi-square over groups of sizes."""
    expected = len(game.value) * kernel(shapley(game.n))
    groups = max(1, min(10, len(game.value) // 10))
    middle = np.cumsum(expected) - expected / 2
    group = np.minimum((middle / len(game.value) * groups).astype(int), groups - 1)
    size = np.bincount(group[game.members.sum(axis=1) - 1], minlength=groups)
    wanted = np.bincount(group, weights=expected, minlength=groups)
    used = wanted > 0
    distance = float(((size - wanted)[used] ** 2 / wanted[used]).sum())
    if used.sum() > 1 and chdtrc(used.sum() - 1, distance) < IMPOSSIBLE:
        outer = int(np.isin(game.members.sum(axis=1), (1, game.n - 1)).sum())
        raise UserError(
            f"estimator paper: found {outer} of {len(game.value)} subsets of 1 or {game.n - 1} contributors, expected"
            f" about {expected[0] + expected[-1]:.0f}, as from the Shapley kernel; the estimator ridge takes any sizes"
        )
