"""Shapley values by their definition, from all 2^n subsets."""

from typing import Any, Literal

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import EstimatorSection
from diffusion_credit.credit import semivalues
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.credit.utilities import Utilities

DESIGNS = ("all",)
MANY = 64  # contributors: numbers of their subsets are no longer for people


class Options(EstimatorSection):
    """Shapley values by their definition. It needs every subset."""

    kind: Literal["exact"]


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Shapley values. Raises UserError with the number of subsets that are missing."""
    missing = semivalues.missing(game)
    if missing:
        number = missing if game.n < MANY else f"all but {len(game.by_subset[1]) + 2}"
        raise UserError(
            f"estimator exact: {number} of the 2^{game.n} subsets of {game.n} contributors are missing, expected all"
        )
    return semivalues.exact(game, semivalues.shapley(game.n), "definition, all subsets")
