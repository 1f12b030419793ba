"""Contributors who left or joined after the study began."""

from typing import Self

from pydantic import Field, model_validator

from diffusion_credit.base.options import Section


class Change(Section):
    """One change of who takes part: what lies in `data` after it."""

    left: list[str] = Field(default=[], description="Names of contributors who no longer take part.")
    joined: list[str] = Field(default=[], description="Names of contributors who take part from now on.")

    @model_validator(mode="after")
    def check(self) -> Self:
        for key, names in (("left", self.left), ("joined", self.joined)):
            if twice := next((name for name in names if names.count(name) > 1), None):
                raise ValueError(f"{key}: found {twice!r} twice, expected each name once")
        if both := sorted({*self.left} & {*self.joined}):
            raise ValueError(
                f"joined: found {both[0]!r}, who is also in left, expected two changes, one after the other"
            )
        if not self.left and not self.joined:
            raise ValueError("left: found nobody, nor in joined, expected somebody who left or joined")
        return self


def said(change: Change) -> dict[str, list[str]]:
    """A change as people write it: without what is empty."""
    return {key: names for key, names in change.model_dump().items() if names}
