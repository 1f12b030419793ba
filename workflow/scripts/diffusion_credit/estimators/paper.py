"""The published Shapley estimator: least squares over the sampled subsets, constrained to the total.

Source: ICLR 2025 'An Efficient Framework for Crediting Data Contributors of Diffusion Models' and its closed
form after Covert and Lee, arXiv 2012.01536, equation 7: with A the mean of x x', b the mean of x (F(x) - F(0)),
values = A^+ (b - 1 (1'A^+ b - F(1) + F(0)) / (1'A^+ 1)).
"""

from typing import Any, Literal

import numpy as np
from scipy.special import chdtrc

from diffusion_credit.errors import UserError
from diffusion_credit.estimates import Estimate
from diffusion_credit.options import Section
from diffusion_credit.regression import kernel
from diffusion_credit.semivalues import interval, shapley
from diffusion_credit.utilities import Utilities

DESIGNS = ("paper", "paired-stratified")
IMPOSSIBLE = 1e-6  # chance of such sizes if they were drawn from the kernel


class Options(Section):
    """The paper's estimator: constrained least squares on the sampled subsets, in closed form."""

    kind: Literal["paper"]


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Shapley values, summing to the total, from subsets drawn from the Shapley kernel.

    Raises UserError when the sizes are not those of the kernel: the formula does not weigh them.
    """
    size = np.bincount(game.members.sum(axis=1), minlength=game.n + 1)[1:-1]
    expected = size.sum() * kernel(shapley(game.n))
    distance = float(((size - expected) ** 2 / expected).sum())
    if chdtrc(max(game.n - 2, 1), distance) < IMPOSSIBLE:
        raise UserError(
            f"estimator paper: found {size[0] + size[-1]} of {size.sum()} subsets of 1 or {game.n - 1} contributors,"
            f" expected about {expected[0] + expected[-1]:.0f}, subsets drawn from the Shapley kernel;"
            " ridge weighs any sizes"
        )
    x = game.members.astype(np.float64)
    a = x.T @ x / len(x)
    b = x.T @ (game.value - game.empty.mean()) / len(x)
    inverse = np.linalg.pinv(a, hermitian=True)
    free, ones = inverse @ b, inverse @ np.ones(x.shape[1])
    surplus = (free.sum() - game.total) / ones.sum()
    return Estimate(free - ones * surplus, "constrained least squares", *interval(game, shapley(game.n)))
