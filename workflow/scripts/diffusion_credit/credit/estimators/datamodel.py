"""Datamodels: a linear regression of F on who is in (arXiv 2202.00622), by scikit-learn."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import EstimatorSection
from diffusion_credit.credit import wide
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.credit.utilities import Utilities

DESIGNS = None
FOLDS = 5


class Options(EstimatorSection):
    """Coefficients of a linear model of F, penalised as cross-validation finds best. They do not sum to the total."""

    kind: Literal["datamodel"]
    penalty: Literal["ridge", "lasso"] = Field(default="ridge", description="Penalty on the coefficients.")


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Coefficients of the proper subsets' regression. Raises UserError with fewer rows than folds."""
    if len(game.value) < 2 * FOLDS:
        raise UserError(f"estimator datamodel: found {len(game.value)} proper subsets, expected at least {2 * FOLDS}")
    spread = float(np.std(game.value)) or 1.0  # penalties have no unit of F
    fit = lasso if options["penalty"] == "lasso" else ridge
    values = fit(game.members, (game.value - game.value.mean()) / spread) * spread
    note = "interval not estimable: penalised coefficients"
    if not values.all():
        note += f"; {np.count_nonzero(values)} of {game.n} contributors have a coefficient, the others rank in no order"
    return Estimate(values, f"linear regression, {options['penalty']}", None, note)


def ridge(members: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coefficients (n,), the penalty by leave-one-out cross-validation. members: (rows, n) bool. y: (rows,)."""
    from sklearn.linear_model import RidgeCV

    penalties = np.logspace(-6, 6, 121) * len(y)
    if len(y) < members.shape[1]:
        return wide.ridge(members, y, penalties)
    return RidgeCV(alphas=penalties).fit(members.astype(float), y).coef_


def lasso(members: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coefficients (n,), the penalty by cross-validation over FOLDS. members: (rows, n) bool. y: (rows,)."""
    from sklearn.linear_model import LassoCV

    if len(y) < members.shape[1]:
        return wide.lasso(members, y, FOLDS)
    return LassoCV(cv=FOLDS, max_iter=20_000, tol=1e-6).fit(members.astype(float), y).coef_
