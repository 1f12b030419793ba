"""The proof that the values are good."""

# The registered regimes are not known to mypy.
# mypy: disable-error-code="valid-type"

from typing import Annotated, Literal

from pydantic import Field

from diffusion_credit.base.options import Section
from diffusion_credit.models.regimes import CHEAP


class Lds(Section):
    """Linear datamodeling score against retrained models on held-out subsets."""

    alphas: list[Annotated[float, Field(ge=0.001, lt=1)]] = Field(
        min_length=1, description="Sizes of held-out subsets, as shares of the contributors."
    )
    subsets: int = Field(
        ge=4, description="Number of held-out subsets for each alpha. It is at most half of all subsets of that size."
    )
    replicates: int = Field(
        default=2,
        ge=2,
        description="Number of training seeds for each held-out subset. Two or more give the noise floor.",
    )
    regimes: list[Literal[CHEAP]] = Field(
        default=["sparse"], description="Regimes that are compared with `retrain` on the held-out subsets (fidelity)."
    )


class Counterfactual(Section):
    """Retraining without the top contributors, with only them, and without as many at the bottom."""

    share: float = Field(default=0.4, gt=0, lt=1, description="Share of the contributors that counts as the top.")
    replicates: int = Field(default=3, ge=2, description="Number of training seeds for each retrained model.")
    estimator: str = Field(description="Name of the estimator whose values decide who is on top.")
    every_method: bool = Field(
        default=False,
        description="Whether models are also retrained without the top of every other estimator and"
        " baseline, for the league. That takes `replicates` models for each of them and each"
        " property.",
    )


class Tuning(Section):
    """Subsets on which baselines choose their variant and lambda. None of them is held out."""

    alpha: float = Field(
        default=0.5, ge=0.001, lt=1, description="Size of the tuning subsets, as a share of the contributors."
    )
    subsets: int = Field(
        default=24, ge=4, description="Number of tuning subsets. Their models are of the design's regime."
    )


class Evaluation(Section):
    """How the values are tested."""

    lds: Lds | None = Field(
        default=None,
        description="Held-out subsets that judge the values. Without this section nothing judges them,"
        " and no subset is reserved.",
    )
    tuning: Tuning | None = Field(
        default=None,
        description="Subsets on which baselines choose their variant. Baselines need this section and"
        " `lds`. `{}` takes the defaults.",
    )
    counterfactual: Counterfactual
