"""What F is expected to be for any set of contributors, from a table of utilities."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from diffusion_credit.credit.estimates import LEVEL
from diffusion_credit.credit.estimators.gaussian_process import measured_in, process_of
from diffusion_credit.credit.process.posterior import Process, Subsets
from diffusion_credit.credit.regression import gaps, kernel
from diffusion_credit.credit.semivalues import shapley
from diffusion_credit.credit.utilities import Utilities

NUMBERS = ["expected", "low", "high", "change", "change_low", "change_high"]


@dataclass(frozen=True)
class Prediction:
    """The mean F of trainings on each subset, with the ends of its 95% interval, and likewise its change from everyone.

    All (k,), in units of F; NaN where `note` says why.
    """

    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    change: np.ndarray
    change_low: np.ndarray
    change_high: np.ndarray
    note: list[str]

    def cells(self, at: int) -> list[Any]:
        """The NUMBERS of one subset, empty where they are not estimable."""
        return ["" if self.note[at] else float(getattr(self, name)[at]) for name in NUMBERS]


def predict(game: Utilities, members: np.ndarray) -> Prediction:
    """F of proper subsets, members (k, n) bool, by the posterior of a Gaussian process.

    A subset whose size the table has nothing near is not estimable.
    Raises UserError on a table of more subsets than the process takes.
    """
    from scipy.special import stdtrit  # who only reads values does not wait for it

    lacking = gaps(measured_in(game), kernel(shapley(game.n)))
    note = [
        "".join(f"not estimable: {text}" for sizes, text in lacking if size in sizes) for size in members.sum(axis=1)
    ]
    mean, variance = process_of(game).answer(Subsets(members))
    mean = np.where([bool(text) for text in note], np.nan, mean)
    everyone = game.everyone
    noise = float(np.var(everyone, ddof=1)) / len(everyone) if len(everyone) > 1 else 0.0
    quantile = stdtrit(max(len(game.value) - 1, 1), (1 + LEVEL) / 2)
    half, wide = quantile * np.sqrt(variance), quantile * np.sqrt(variance + noise)
    change = mean - everyone.mean()
    return Prediction(mean, mean - half, mean + half, change, change - wide, change + wide, note)


class Predictor:
    """F of any proper subsets (k, n) bool -> (k,), by a process that is fitted once."""

    def __init__(self, game: Utilities) -> None:
        self.process: Process = process_of(game)

    def __call__(self, members: np.ndarray) -> np.ndarray:
        return self.process.answer(Subsets(members))[0]
