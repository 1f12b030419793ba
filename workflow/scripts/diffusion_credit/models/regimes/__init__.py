"""Regimes: how a subset's model is made. To add one: a module here that is a `Regime`, and its name below.

Its docstring is its entry in config/README.md.
"""

from typing import TYPE_CHECKING, Protocol

from diffusion_credit.base.options import Section

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

OF_EVERYONE = ("full", "refit")  # what every study makes once; their options stand outside `regimes`
REGIMES = ("sparse", "finetune", "gradient_ascent", "influence", "retrain", "conditional")
CONDITIONAL = "conditional"  # the regime whose one model serves all subsets
OF_ONE_SUBSET = tuple(name for name in REGIMES if name != CONDITIONAL)
CHEAP = tuple(name for name in OF_ONE_SUBSET if name != "retrain")  # judged by `retrain`


class Regime(Protocol):
    """What every module of this package holds."""

    @property
    def Options(self) -> type[Section]:
        """The regime's section of the configuration."""

    @property
    def START(self) -> str | None:
        """The model of everyone, in `full`, `pruned` or `refit`, that its trainings begin with. None: a random one."""

    @property
    def MINUTES(self) -> float:
        """How long a cluster allows one model by default."""

    def fit(self, task: "Task") -> "Trained":
        """Change the weights of `task.model`, in place, to those of a model of the images `task.kept`."""


class SubsetRegime(Regime, Protocol):
    """What the modules of REGIMES hold besides."""

    @property
    def MADE(self) -> str:
        """How each subset's model was made, for the report: a sentence without its full stop."""


if TYPE_CHECKING:  # mypy compares each with the protocols
    from diffusion_credit.models.regimes import (
        conditional,
        finetune,
        full,
        gradient_ascent,
        influence,
        refit,
        retrain,
        sparse,
    )

    _: list[Regime] = [full, refit]
    __: list[SubsetRegime] = [sparse, finetune, gradient_ascent, influence, retrain, conditional]
