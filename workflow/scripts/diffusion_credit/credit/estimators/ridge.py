"""Shapley values by ridge on the differences between contributors, the total from the ends.

Functions of the subset's size are taken out first, so saturation and noisy ends do not reach the differences; these
shrink towards equal shares as far as generalised cross-validation finds best.
"""

from typing import Any, Literal

from diffusion_credit.base.options import EstimatorSection
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.credit.regression import TOO_FEW
from diffusion_credit.credit.semivalues import ALL, exact, missing, regularised, shapley
from diffusion_credit.credit.utilities import Utilities

DESIGNS = ("paired-stratified", "paper", "leverage", "permutation", "all")


class Options(EstimatorSection):
    """Least squares with a free function of the size; differences are shrunk towards equal shares."""

    kind: Literal["ridge"]


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Shapley values, summing to the total; by the definition where all subsets are there and too few to choose by."""
    found = regularised(game, shapley(game.n))
    return exact(game, shapley(game.n), ALL) if TOO_FEW in found.note and not missing(game) else found
