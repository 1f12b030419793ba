"""Shapley values of a model of F: gradient-boosted trees on who is in, and interventional TreeSHAP.

Trees by scikit-learn; their exact Shapley values, everyone against the empty subset, by the package shap
(doi 10.1038/s42256-019-0138-9). What the trees miss of the total is shared equally.
"""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import EstimatorSection
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.credit.utilities import Utilities

DESIGNS = ("paired-stratified", "paper", "leverage", "permutation", "all")
FEWEST = 10  # rows for trees to be of any use


class Options(EstimatorSection):
    """Shapley values of gradient-boosted trees that were fitted to F; needs the extra `surrogate`."""

    kind: Literal["surrogate"]
    trees: int = Field(default=300, ge=1, description="Number of boosted trees.")
    depth: int = Field(
        default=3, ge=1, description="Depth of each tree. It is the number of contributors that may interact."
    )
    learning_rate: float = Field(default=0.05, gt=0, le=1, description="Share of each tree that is added to the sum.")


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """Shapley values of the trees, moved to the total. Raises UserError when shap is not installed."""
    if len(game.value) < FEWEST:
        raise UserError(f"estimator surrogate: found {len(game.value)} proper subsets, expected at least {FEWEST}")
    try:
        from shap import TreeExplainer
    except ImportError:
        raise UserError(
            "estimator surrogate: the package shap was not found, expected it installed: pip install -e '.[surrogate]'"
        ) from None
    from sklearn.ensemble import GradientBoostingRegressor

    center, spread = float(game.value.mean()), float(np.std(game.value)) or 1.0
    model = GradientBoostingRegressor(
        n_estimators=options["trees"],
        max_depth=options["depth"],
        learning_rate=options["learning_rate"],
        subsample=0.8,
        random_state=0,
    )
    model.fit(game.members.astype(float), (game.value - center) / spread)
    ends = np.array([[0.0], [1.0]]) * np.ones(game.n)
    explainer = TreeExplainer(model, data=ends[:1], feature_perturbation="interventional")
    values = spread * explainer.shap_values(ends[1:])[0]
    values += (game.total - values.sum()) / game.n
    return Estimate(values, "TreeSHAP of boosted trees", None, "interval not estimable: trees have no unbiased fit")
