"""Banzhaf values: the mean marginal contribution to a random subset of the others (arXiv 2205.15466).

With all 2^n subsets by the definition, else by the same ridge regression as `ridge`, with binomial sizes.
"""

from typing import Any, Literal

from diffusion_credit.base.options import EstimatorSection
from diffusion_credit.credit import semivalues
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.credit.utilities import Utilities

DESIGNS = ("uniform", "all", "paired-stratified", "leverage")


class Options(EstimatorSection):
    """Banzhaf values, which do not sum to the total. The design `uniform` suits them best."""

    kind: Literal["banzhaf"]


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Banzhaf values of a game; they do not sum to the total."""
    return semivalues.estimate(game, semivalues.banzhaf(game.n))
