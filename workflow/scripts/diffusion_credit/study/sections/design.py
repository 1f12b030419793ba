"""Which subsets are evaluated, and when there are enough."""

# The registered designs are not known to mypy.
# mypy: disable-error-code="valid-type"

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from diffusion_credit.base.options import Section
from diffusion_credit.study.sections.names import Name
from diffusion_credit.subsets.draws import DESIGNS


class Target(Section):
    """When to stop adding subsets: stated before the run, looked at after whole batches only."""

    standard_error: dict[Name, Annotated[float, Field(gt=0)]] = Field(
        min_length=1,
        description="Largest standard error that any contributor's value may have, by property, in its units.",
    )
    estimator: str = Field(description="Name of the estimator whose standard errors count.")
    maximum: int = Field(ge=1, description="Number of subsets at which to stop in any case; a multiple of batch_size.")


class Game(Section):
    """Further subsets in a regime of their own, for estimators that name it; judged beside the design in the league."""

    kind: Literal[DESIGNS] = Field(description="How subsets are drawn, as in `design`.")
    alpha: float = Field(default=0.5, gt=0, lt=1, description="As in `design`, for `datamodel` alone.")
    subsets: int = Field(
        ge=1,
        description="Number of subsets; of leave-one-out and add-one-in the contributors, times the trainings of each.",
    )
    regime: Literal["sparse", "finetune", "gradient_ascent", "influence", "retrain", "conditional"] = Field(
        description="The regime of the models, and of the game's own F(everyone) and F(empty)."
    )


class Design(Section):
    """Which subsets are evaluated, and how many share a job."""

    kind: Literal[DESIGNS] = Field(
        default="paired-stratified", description="How subsets are drawn; each estimator says which designs it can use."
    )
    alpha: float = Field(
        default=0.5, gt=0, lt=1, description="Share of the contributors in every subset; used by `datamodel` alone."
    )
    subsets: int = Field(
        ge=1,
        description="Number of sampled subsets, ten times the contributors or more; a multiple of batch_size. With a"
        " target, the number at which the standard error is first looked at.",
    )
    target: Target | None = Field(default=None, description="Add batches until the values are sure enough.")
    batch_size: int = Field(ge=1, description="Subsets a job; jobs are aligned, so a larger design only adds jobs.")
    anchors: int = Field(default=5, ge=2, description="Training seeds of F(everyone) and of F(empty).")
    empty: Literal["untrained", "base"] = Field(
        description="What F(empty) is: `untrained`, the regime's own architecture at random initialisation, or, with"
        " adapters (lora), `base`, the base model without them."
    )
    regime: Literal["sparse", "finetune", "gradient_ascent", "influence", "retrain"] = Field(
        default="sparse", description="The regime whose utilities the Shapley values divide."
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.subsets % self.batch_size:
            raise ValueError(f"subsets: found {self.subsets}, expected a multiple of batch_size = {self.batch_size}")
        if self.target and (self.target.maximum % self.batch_size or self.target.maximum < self.subsets):
            raise ValueError(
                f"target.maximum: found {self.target.maximum}, expected a multiple of batch_size = {self.batch_size},"
                f" not below subsets = {self.subsets}"
            )
        return self
