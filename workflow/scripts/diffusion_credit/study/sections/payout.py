"""Money for contributors."""

from typing import Literal, Self

from pydantic import Field, model_validator

from diffusion_credit.base.options import Section
from diffusion_credit.study.sections.names import Name


class Payout(Section):
    """An amount of money, divided by the values of one property to the cent."""

    amount: float = Field(
        gt=0,
        le=1e12,
        description="The amount to divide, in `currency`. It has two decimals at most, and so has every payment.",
    )
    currency: str = Field(
        min_length=1, max_length=20, description="Name of the currency, such as EUR. It is only shown."
    )
    property: Name = Field(description="Name of the property whose values decide.")
    estimator: Name = Field(
        description="Name of the estimator whose values divide the amount. A baseline cannot, because its"
        " values have no unit."
    )
    negative: Literal["clip", "keep", "refuse"] = Field(
        description="What happens with contributors who harm the property. `clip`: they get nothing, and"
        " the others divide the amount. `keep`: they owe money, and the others get more."
        " `refuse`: nobody is paid."
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if round(self.amount, 2) != self.amount:
            raise ValueError(f"amount: found {self.amount}, expected two decimals at most")
        return self
