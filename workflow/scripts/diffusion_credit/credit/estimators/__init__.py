"""Estimators: from utilities to one attribution per contributor.

To add one: a module here that is an `Estimator`, named after its kind with _ for -, and its kind in both lists below;
in ANY_NUMBER too when it holds no matrix of contributors by contributors.
"""

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from diffusion_credit.base.options import EstimatorSection
    from diffusion_credit.credit.estimates import Estimate
    from diffusion_credit.credit.utilities import Utilities

ESTIMATORS = (
    "ridge",
    "gaussian-process",
    "paper",
    "exact",
    "banzhaf",
    "beta-shapley",
    "leave-one-out",
    "add-one-in",
    "datamodel",
    "surrogate",
    "permutation",
    "owen",
)

ANY_NUMBER = ("datamodel",)


class Estimator(Protocol):
    """What a module of this package holds."""

    @property
    def Options(self) -> "type[EstimatorSection]":
        """The estimator's section of the configuration, with the key `kind`."""

    @property
    def DESIGNS(self) -> tuple[str, ...] | None:
        """The designs that give it the subsets which it needs; None when any will do."""

    def estimate(self, game: "Utilities", options: dict[str, Any]) -> "Estimate":
        """One value a contributor, and its interval where there is one.

        Raises UserError when the table lacks what the estimator needs.
        """


if TYPE_CHECKING:  # mypy compares each with the protocol
    from diffusion_credit.credit.estimators import (
        add_one_in,
        banzhaf,
        beta_shapley,
        datamodel,
        exact,
        gaussian_process,
        leave_one_out,
        owen,
        paper,
        permutation,
        ridge,
        surrogate,
    )

    _: list[Estimator] = [ridge, gaussian_process, paper, exact, banzhaf, beta_shapley, leave_one_out, add_one_in]
    __: list[Estimator] = [datamodel, surrogate, permutation, owen]
