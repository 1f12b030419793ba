"""Which subsets are evaluated, and when there are enough."""

# The registered designs and regimes are not known to mypy.
# mypy: disable-error-code="valid-type"

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from diffusion_credit.base.options import Section
from diffusion_credit.models.regimes import OF_ONE_SUBSET, REGIMES
from diffusion_credit.study.sections.names import Name
from diffusion_credit.subsets.draws import DESIGNS


class Target(Section):
    """When to stop adding subsets. It is stated before the run and looked at after whole batches only."""

    standard_error: dict[Name, Annotated[float, Field(gt=0)]] = Field(
        min_length=1,
        description="For each property, the largest standard error that any contributor's value may have,"
        " in the property's units.",
    )
    estimator: str = Field(description="Name of the estimator whose standard errors count.")
    maximum: int = Field(
        ge=1, description="Number of subsets at which the study stops in any case. It is a multiple of batch_size."
    )


class Sampling(Section):
    """How many subsets are drawn, and how."""

    kind: Literal[DESIGNS] = Field(
        default="paired-stratified",
        description="How subsets are drawn. Each estimator needs certain designs: see docs/estimators.md."
        " With `active`, every batch after the first is chosen from what was measured before it.",
    )
    alpha: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="Share of the contributors in every subset. Only the kind `datamodel` uses it.",
    )


class Game(Sampling):
    """A further list of subsets, in a regime of its own, for estimators to be compared with the design's."""

    subsets: int = Field(
        ge=1,
        description="Number of subsets. Leave-one-out and add-one-in need one for each contributor and training seed.",
    )
    regime: Literal[REGIMES] = Field(
        description="The regime of the game's models, and of its own F(everyone) and F(empty)."
    )


class Design(Sampling):
    """Which subsets are sampled, and how many share a job."""

    subsets: int = Field(
        ge=1,
        description="Number of sampled subsets: ten times the contributors or more, and a multiple of"
        " batch_size. With a target, it is the number at which the standard error is looked"
        " at first.",
    )
    target: Target | None = Field(default=None, description="Add batches until the values are sure enough.")
    batch_size: int = Field(
        ge=1, description="Subsets that share a job. Batches are aligned, so a larger design only adds jobs."
    )
    anchors: int = Field(default=5, ge=2, description="Number of training seeds of F(everyone), and of F(empty).")
    empty: Literal["untrained", "base"] = Field(
        description="What F(empty) is measured on. `untrained` is the regime's own architecture at random"
        " initialisation. With adapters (lora), `base` is the base model without them."
    )
    regime: Literal[OF_ONE_SUBSET] = Field(
        default="sparse", description="The regime of the models that the credit is made from."
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.subsets % self.batch_size:
            raise ValueError(f"subsets: found {self.subsets}, expected a multiple of batch_size = {self.batch_size}")
        if self.target and (self.target.maximum % self.batch_size or self.target.maximum < self.subsets):
            raise ValueError(
                f"target.maximum: found {self.target.maximum}, expected a multiple of batch_size = {self.batch_size}"
                f" that is at least subsets = {self.subsets}"
            )
        return self
