"""Regimes: how a subset's model is made.

To add one: a module here that is a `Regime`, and its name in both lists below.
"""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from diffusion_credit.base.options import Section
    from diffusion_credit.models.task import Task, Trained

OF_EVERYONE = ("full", "refit")  # what every study makes once; their options stand outside `regimes`
REGIMES = ("sparse", "finetune", "gradient_ascent", "influence", "unlearn", "retrain", "conditional")
UNLEARNING = ("gradient_ascent", "influence", "unlearn")  # whose model of everyone is the full model itself
CONDITIONAL = "conditional"  # the regime whose one model serves all subsets
OF_ONE_SUBSET = tuple(name for name in REGIMES if name != CONDITIONAL)
CHEAP = tuple(name for name in OF_ONE_SUBSET if name != "retrain")  # judged by `retrain`


class Regime(Protocol):
    """What a module of this package holds. Its docstring says how a subset's model is made, also in the report."""

    @property
    def Options(self) -> "type[Section]":
        """The regime's section of the configuration."""

    @property
    def START(self) -> str | None:
        """The model of everyone, `full`, `pruned` or `refit`, that its trainings begin with. None: a random one."""

    @property
    def OF_MEMBERS(self) -> bool:
        """Does a model depend on nobody's images but the subset's, beside the model that it begins with?"""

    def fit(self, task: "Task") -> "Trained":
        """Change the weights of `task.model`, in place, to those of a model of the images `task.kept`."""


if TYPE_CHECKING:  # mypy compares each with the protocol
    from diffusion_credit.models.regimes import (
        conditional,
        finetune,
        full,
        gradient_ascent,
        influence,
        refit,
        retrain,
        sparse,
        unlearn,
    )

    _: list[Regime] = [full, refit, sparse, finetune, gradient_ascent, influence, unlearn, retrain, conditional]
