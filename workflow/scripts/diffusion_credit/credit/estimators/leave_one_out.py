"""Leave-one-out: what is lost when one contributor alone is missing."""

from typing import Any, Literal

from diffusion_credit.base.options import EstimatorSection
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.credit.semivalues import singles
from diffusion_credit.credit.utilities import Utilities

DESIGNS = ("leave-one-out", "all")


class Options(EstimatorSection):
    """F(everyone) - F(everyone but the contributor); the values do not sum to the total."""

    kind: Literal["leave-one-out"]


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Leave-one-out values. Raises UserError when someone is never alone in being left out."""
    return singles(game, ~game.members, game.everyone, -1, "everyone but one")
