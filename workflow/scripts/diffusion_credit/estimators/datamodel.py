"""Datamodels: a linear regression of F on who is in (arXiv 2202.00622), by scikit-learn."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.errors import UserError
from diffusion_credit.estimates import Estimate
from diffusion_credit.options import Section
from diffusion_credit.utilities import Utilities

DESIGNS = None
FOLDS = 5


class Options(Section):
    """Coefficients of a linear model of F, penalised as cross-validation finds best; they do not sum to the total."""

    kind: Literal["datamodel"]
    penalty: Literal["ridge", "lasso"] = Field(default="ridge", description="Penalty on the coefficients.")


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Coefficients of the proper subsets' regression. Raises UserError with fewer rows than folds."""
    from sklearn.linear_model import LassoCV, RidgeCV

    if len(game.value) < 2 * FOLDS:
        raise UserError(f"estimator datamodel: found {len(game.value)} proper subsets, expected at least {2 * FOLDS}")
    spread = float(np.std(game.value)) or 1.0  # penalties have no unit of F
    x, y = game.members.astype(float), (game.value - game.value.mean()) / spread
    if options["penalty"] == "lasso":
        model = LassoCV(cv=FOLDS, max_iter=20_000, tol=1e-6)
    else:
        model = RidgeCV(alphas=np.logspace(-6, 6, 121) * len(y))
    values = model.fit(x, y).coef_ * spread
    note = "interval not estimable: penalised coefficients"
    return Estimate(values, f"linear regression, {options['penalty']}", None, note)
