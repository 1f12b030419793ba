"""Beta Shapley values: the number of predecessors follows a beta-binomial law (arXiv 2110.14049).

With all 2^n subsets by the definition, else by the same ridge regression as `ridge`, with these sizes.
"""

from typing import Any, Literal

from pydantic import Field

from diffusion_credit.base.options import EstimatorSection
from diffusion_credit.credit import semivalues
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.credit.utilities import Utilities

DESIGNS = ("paired-stratified", "paper", "leverage", "all")


class Options(EstimatorSection):
    """Beta Shapley values, which do not sum to the total; Beta(1, 1) are Shapley values."""

    kind: Literal["beta-shapley"]
    alpha: float = Field(
        default=4.0, gt=0, description="A larger alpha favours what contributors add to small subsets."
    )
    beta: float = Field(default=1.0, gt=0, description="A larger beta favours what contributors add to large subsets.")


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Beta(alpha, beta) Shapley values."""
    return semivalues.estimate(game, semivalues.beta_shapley(game.n, options["alpha"], options["beta"]))
