"""Any semivalue by a Gaussian process on subsets: value and interval are one posterior, so the one lies in the other.

Contributors are exchangeable beforehand; how much they and their interactions matter, at which sizes, and how noisy a
measurement is, is learnt from the table and integrated over. Any design will do.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import EstimatorSection
from diffusion_credit.credit.estimates import Estimate, Interval
from diffusion_credit.credit.semivalues import banzhaf, beta_shapley, leave_one_out, shapley
from diffusion_credit.credit.utilities import Utilities, ends_variance

if TYPE_CHECKING:  # the Snakefile reads this module for its Options; scipy takes its time
    from diffusion_credit.credit.process.posterior import Process

DESIGNS = None
FIT = "Gaussian process"


class Options(EstimatorSection):
    """Recommended: a Gaussian process on subsets. It takes any design, and its values lie in their intervals."""

    predicts: ClassVar[bool] = True

    kind: Literal["gaussian-process"]
    of: Literal["shapley", "banzhaf", "beta-shapley", "leave-one-out"] = Field(
        default="shapley", description="The semivalue."
    )
    alpha: float = Field(
        default=4.0, gt=0, description="Of `beta-shapley`: a larger alpha favours what is added to small subsets."
    )
    beta: float = Field(
        default=1.0, gt=0, description="Of `beta-shapley`: a larger beta favours what is added to large subsets."
    )
    cheap: Literal["design"] | None = Field(
        default=None,
        description="`design`: learn from the study's sampled subsets as well. The subsets of the `game`, fewer and"
        " better, correct these.",
    )

    def takes_design(self) -> bool:
        return self.cheap is not None


MOST = 8_000  # different subsets; a matrix of all pairs of them is 0.5 GB


def estimate(game: Utilities, options: dict[str, Any]) -> Estimate:
    """The posterior mean of each value, and its posterior as the interval. Shapley values sum to the total.

    There is no interval where the table lacks sizes that count: how effects go on there is a guess of the prior. Raises
    UserError on more than MOST different subsets.
    """
    from diffusion_credit.credit.process.posterior import Semivalues
    from diffusion_credit.credit.regression import gaps, kernel

    predecessors = predecessors_of(game.n, options)
    mean, covariance = process_of(game).answer(Semivalues(predecessors))
    last, first = float(predecessors[-1]), float(predecessors[0])
    level, freedom, note = ends_variance(game, last, first)
    value = mean + last * game.everyone.mean() - first * game.empty.mean()
    if lacking := gaps(measured_in(game), kernel(predecessors)):
        note = "; ".join(text for text in (f"interval not estimable: {lacking[0][1]}", note) if text)
        return Estimate(value, FIT, None, note)
    freedoms = np.full(game.n, float(max(len(game.value) - 1, 1)))
    return Estimate(value, FIT, Interval(value, covariance, freedoms, level, freedom, level, FIT), note)


def predecessors_of(n: int, options: dict[str, Any]) -> np.ndarray:
    """P (n,) of the semivalue that the options name."""
    if options["of"] == "beta-shapley":
        return beta_shapley(n, options["alpha"], options["beta"])
    return {"shapley": shapley, "banzhaf": banzhaf, "leave-one-out": leave_one_out}[options["of"]](n)


def measured_in(game: Utilities) -> np.ndarray:
    """The subsets that the process learns from, in whichever regime: (rows, n) bool."""
    return game.members if game.cheap is None else np.concatenate([game.members, game.cheap.members])


def process_of(game: Utilities) -> "Process":
    """The process that a table of utilities was seen by. Raises UserError on more than MOST different subsets."""
    from diffusion_credit.credit.process.likelihood import Data
    from diffusion_credit.credit.process.posterior import Process

    games = [game] if game.cheap is None else [game.cheap, game]
    different = sum(len(each.by_subset[1]) for each in games)
    if different > MOST:
        raise UserError(
            f"estimator gaussian-process: not estimable: found {different} different subsets, expected at most {MOST},"
            " or the estimator ridge"
        )
    members, mean, rows = (np.concatenate(each) for each in zip(*(g.by_subset[:3] for g in games), strict=True))
    regime = np.repeat(np.arange(len(games)), [len(each.by_subset[1]) for each in games])
    squares, freedom = zip(*map(_between_replicates, games), strict=True)
    return Process(game.n, Data(members, mean, rows, np.array(squares), np.array(freedom), regime))


def _between_replicates(game: Utilities) -> tuple[np.ndarray, np.ndarray]:
    """Sum of squares between rows of the same subset, and its degrees of freedom, by size: (n + 1,), (n + 1,).

    Rows of everyone stand at n; they are measured like any others.
    """
    members, mean, *_ = game.by_subset
    _, which = np.unique(np.packbits(game.members, axis=1), axis=0, return_inverse=True)
    size = game.members.sum(axis=1)
    squares = np.bincount(size, weights=(game.value - mean[which.ravel()]) ** 2, minlength=game.n + 1)
    freedom = np.bincount(size, minlength=game.n + 1) - np.bincount(members.sum(axis=1), minlength=game.n + 1)
    squares[-1], freedom[-1] = ((game.everyone - game.everyone.mean()) ** 2).sum(), max(len(game.everyone) - 1, 0)
    return squares, freedom
