"""Shapley values by orders of arrival: the mean marginal contribution along chains of nested subsets.

Source: Castro, Gómez, Tejada, doi 10.1016/j.cor.2008.04.004; antithetic orders, arXiv 2104.12199.
"""

from typing import Any, Literal

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import EstimatorSection
from diffusion_credit.credit.estimates import Estimate, Interval
from diffusion_credit.credit.utilities import Utilities, ends_variance

DESIGNS = ("permutation",)


class Options(EstimatorSection):
    """Mean marginal contributions along the chains of the design `permutation`."""

    kind: Literal["permutation"]


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Shapley values; chains in the rows' order, a chain that is cut short at the end is left out.

    Raises UserError when a row does not extend the row before it by one contributor, or no chain is complete.
    """
    length = game.n - 1
    chains = len(game.value) // length
    if not chains:
        raise UserError(f"estimator permutation: found {len(game.value)} proper subsets, expected at least {length}")
    members = game.members[: chains * length].reshape(chains, length, game.n)
    whole = np.concatenate([np.zeros((chains, 1, game.n), bool), members, np.ones((chains, 1, game.n), bool)], axis=1)
    added = whole[:, 1:] & ~whole[:, :-1]
    wrong = (added.sum(axis=2) != 1) | (whole[:, :-1] & ~whole[:, 1:]).any(axis=2)
    if wrong.any():
        chain, step = np.argwhere(wrong)[0]
        raise UserError(
            f"estimator permutation: proper subset {chain * length + step + 1} does not extend the one before by one"
            f" contributor, expected chains of {length} nested subsets, as the design permutation draws them"
        )
    value = game.value[: chains * length].reshape(chains, length)
    ends = np.ones((chains, 1))
    steps = np.diff(np.hstack([game.empty.mean() * ends, value, game.everyone.mean() * ends]), axis=1)
    marginal = np.einsum("csp,cs->cp", added, steps)
    values = marginal.mean(axis=0)
    fit = "mean over chains"
    pairs = marginal[: chains // 2 * 2].reshape(-1, 2, game.n).mean(axis=1)
    if len(pairs) < 2:
        return Estimate(values, fit, None, f"interval not estimable: {len(pairs)} pairs of chains, needs 2")
    error = pairs - pairs.mean(axis=0)
    level, freedom, note = ends_variance(game, 1 / game.n, 1 / game.n)
    covariance = error.T @ error / (len(pairs) * (len(pairs) - 1))
    center = pairs.mean(axis=0)
    freedoms = np.full(game.n, len(pairs) - 1.0)
    of = "mean over pairs of opposite chains"
    return Estimate(values, fit, Interval(center, covariance, freedoms, level, freedom, level, of), note)
