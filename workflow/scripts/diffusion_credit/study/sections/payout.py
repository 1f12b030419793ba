"""Money for contributors."""

from typing import Literal, Self

from pydantic import Field, model_validator

from diffusion_credit.base.options import Section
from diffusion_credit.study.sections.names import Name


class Payout(Section):
    """An amount of money, divided by the values of one property to the cent."""

    amount: float = Field(
        gt=0, le=1e12, description="What is divided, in `currency`; with two decimals at most, as every payment."
    )
    currency: str = Field(min_length=1, max_length=20, description="Its name, such as EUR; only shown.")
    property: Name = Field(description="Name of the property whose values decide.")
    estimator: Name = Field(
        description="Name of the estimator whose values they are; baselines have no unit to pay by."
    )
    negative: Literal["clip", "keep", "refuse"] = Field(
        description="Who harms the property: gets nothing, and the others divide the amount (`clip`); owes, and the"
        " others get more (`keep`); or then nobody is paid (`refuse`)."
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if round(self.amount, 2) != self.amount:
            raise ValueError(f"amount: found {self.amount}, expected whole cents")
        return self
