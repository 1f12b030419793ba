"""The published Shapley estimator: least squares over the sampled subsets, constrained to the total.

Source: ICLR 2025 'An Efficient Framework for Crediting Data Contributors of Diffusion Models' and its closed
form after Covert and Lee, arXiv 2012.01536, equation 7: with A the mean of x x', b the mean of x (F(x) - F(0)),
values = A^+ (b - 1 (1'A^+ b - F(1) + F(0)) / (1'A^+ 1)).
"""

from typing import Any, Literal

import numpy as np

from diffusion_credit.options import Section


class Options(Section):
    """The paper's estimator: constrained least squares on the sampled subsets, in closed form."""

    kind: Literal["paper"]


def estimate(
    members: np.ndarray, values: np.ndarray, everyone: float, empty: float, options: dict[str, Any]
) -> np.ndarray:
    """Shapley values (n,), summing to everyone - empty.

    members: (rows, n) 0/1, drawn from the Shapley kernel. values: (rows,) utilities.
    """
    x = members.astype(np.float64)
    a = x.T @ x / len(x)
    b = x.T @ (values - empty) / len(x)
    inverse = np.linalg.pinv(a, hermitian=True)
    free, ones = inverse @ b, inverse @ np.ones(x.shape[1])
    surplus = (free.sum() - (everyone - empty)) / ones.sum()
    return free - ones * surplus
