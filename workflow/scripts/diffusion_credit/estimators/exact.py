"""Shapley values by their definition, from all 2^n subsets."""

from typing import Any, Literal

from diffusion_credit import semivalues
from diffusion_credit.errors import UserError
from diffusion_credit.estimates import Estimate
from diffusion_credit.options import Section
from diffusion_credit.utilities import Utilities

DESIGNS = ("all",)


class Options(Section):
    """Shapley values by their definition; needs every subset."""

    kind: Literal["exact"]


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Shapley values. Raises UserError with the number of subsets that are missing."""
    missing = semivalues.missing(game)
    if missing:
        raise UserError(
            f"estimator exact: {missing} of the 2^{game.n} subsets of {game.n} contributors are missing, expected all"
        )
    return semivalues.exact(game, semivalues.shapley(game.n), "definition, all subsets")
