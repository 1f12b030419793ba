"""The choice among a baseline's variants, on subsets that are never held out."""

import numpy as np

from diffusion_credit.base.tables import Subsets
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.evaluation.resampling import by_subset, spearman


def choose(variants: dict[str, np.ndarray], tuning: Subsets, higher_is_better: bool) -> str:
    """The variant whose sums of values rank the tuning subsets best, by Spearman; the first of equals.

    Nothing is learnt from the held-out subsets: they are not at hand here.
    """
    members, measured = by_subset(tuning)
    sign = 1 if higher_is_better else -1
    score = {name: spearman(members @ values, sign * measured.mean(axis=1)) for name, values in variants.items()}
    return max(score, key=lambda name: -np.inf if np.isnan(score[name]) else score[name])


def chosen_estimate(variants: dict[str, np.ndarray], tuning: Subsets, higher_is_better: bool) -> Estimate:
    """The chosen variant's values as an estimate of what contributors add to a property.

    A baseline says who helps, hence the sign is turned where lower is better.
    """
    name = choose(variants, tuning, higher_is_better)
    value = variants[name] if higher_is_better else -variants[name]
    return Estimate(value, name, None, "interval not estimable: nothing was measured; the values have no unit of F")
