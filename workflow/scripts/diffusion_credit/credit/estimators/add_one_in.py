"""Add-one-in: what each contributor is worth alone."""

from typing import Any, Literal

from diffusion_credit.base.options import EstimatorSection
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.credit.semivalues import singles
from diffusion_credit.credit.utilities import Utilities

DESIGNS = ("add-one-in", "all")


class Options(EstimatorSection):
    """F(the contributor alone) - F(empty); the values do not sum to the total."""

    kind: Literal["add-one-in"]


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Add-one-in values. Raises UserError when someone is never alone."""
    return singles(game, game.members, game.empty, 1, "one alone")
