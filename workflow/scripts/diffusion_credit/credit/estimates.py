"""What an estimator returns: values, and how sure they are.

The value and its interval may belong to different fits: a value that shrinks towards equal shares has the smaller
error, an interval is honest only around a fit that does not. Both say by name which fit they are of.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diffusion_credit.base.seeds import generator

LEVEL = 0.95
DRAWS = 4000
ROUNDING = 1e-12  # of the largest eigenvalue of a covariance
TIE = 1e-9  # values that differ by less, relative to the largest, are the same


@dataclass(frozen=True)
class Interval:
    """The sampling distribution of an unbiased fit: Student's t around `center`.

    center: (n,). contrasts: (n, n) covariance of the values without `level`. freedom: (n,) its degrees of freedom.
    level: variance of the mean of the values, which all share, with `level_freedom`. floor: the part of the largest
    variance that more subsets do not lower, the noise of the ends. fit: what the distribution belongs to.
    """

    center: np.ndarray
    contrasts: np.ndarray
    freedom: np.ndarray
    level: float
    level_freedom: float
    floor: float
    fit: str

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of each contributor's value: (n,), in units of F."""
        return np.sqrt(np.diag(self.contrasts) + self.level)

    def half_width(self) -> np.ndarray:
        """Half of each 95% interval (n,): t with Satterthwaite's degrees of freedom for the sum of both parts."""
        from scipy.special import stdtrit  # who only reads or draws values does not wait for it

        parts = np.stack([np.diag(self.contrasts), np.full(len(self.center), self.level)])
        total = parts.sum(axis=0)
        spread = parts[0] ** 2 / self.freedom + parts[1] ** 2 / self.level_freedom
        freedom = np.divide(total**2, spread, out=np.ones(len(total)), where=spread > 0)
        return stdtrit(freedom, (1 + LEVEL) / 2) * np.sqrt(total)

    def covers_equal_share(self) -> np.ndarray:
        """(n,) bool: does a value's 95% interval contain the mean of all values? Their common error cancels."""
        from scipy.special import stdtrit

        centring = np.eye(len(self.center)) - 1 / len(self.center)
        variance = np.diag(centring @ self.contrasts @ centring)
        half = stdtrit(self.freedom, (1 + LEVEL) / 2) * np.sqrt(np.maximum(variance, 0))
        return np.abs(self.center - self.center.mean()) <= half

    @cached_property
    def draws(self) -> tuple[np.ndarray, np.ndarray]:
        """Errors of the contrasts (draws, n) and of their common level (draws,), always the same ones."""
        rng = generator(0, "sampling distribution")
        values, vectors = np.linalg.eigh(self.contrasts)
        # what rounding leaves of a zero would tell equal contributors apart: its root is no longer small
        root = vectors * np.sqrt(np.where(values > ROUNDING * values.max(initial=0.0), values, 0)) @ vectors.T
        normal = rng.standard_normal((DRAWS, len(self.center))) @ root
        freedom = float(np.median(self.freedom))
        chi = rng.chisquare(freedom, DRAWS) / freedom
        return normal / np.sqrt(chi)[:, None], rng.standard_t(self.level_freedom, DRAWS) * np.sqrt(self.level)

    def simultaneous_half_width(self) -> np.ndarray:
        """Half of intervals that hold for all values at once (n,): the 95% quantile of the largest |t| (max-t)."""
        contrasts, level = self.draws
        error = self.standard_error
        ratio = np.abs(contrasts + level[:, None])[:, error > 0] / error[error > 0]
        quantile = float(np.quantile(ratio.max(axis=1), LEVEL)) if ratio.size else 0.0
        return np.maximum(quantile * error, self.half_width())

    def ranks(self, higher_is_better: bool) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest rank of each value, for all at once: (n,), (n,).

        A contributor ranks below all whose value is better beyond the 95% quantile of the largest |t| over all
        differences of two values. Source: Mogstad, Romano, Shaikh, Wilhelm, doi 10.1093/restud/rdad006.
        """
        variance = np.diag(self.contrasts)
        error = np.sqrt(np.maximum(variance[:, None] + variance - 2 * self.contrasts, 0))
        contrasts, _ = self.draws
        largest = np.zeros(len(contrasts))
        for i in range(len(variance)):
            other = error[i] > 1e-12 * np.sqrt(variance.max(initial=0.0))
            if other.any():
                ratio = np.abs(contrasts[:, other] - contrasts[:, i, None]) / error[i, other]
                np.maximum(largest, ratio.max(axis=1), out=largest)
        difference = self.center[:, None] - self.center
        margin = float(np.quantile(largest, LEVEL)) * error
        better = difference > margin if higher_is_better else -difference > margin
        np.fill_diagonal(better, False)
        return 1 + better.sum(axis=0), len(variance) - better.sum(axis=1)

    def probability_top(self, count: int, higher_is_better: bool) -> np.ndarray:
        """Share of draws around `center` with each among the best `count`; ties share the last places: (n,)."""
        contrasts, _ = self.draws
        drawn = (self.center + contrasts) * (1 if higher_is_better else -1)
        last = -np.partition(-drawn, count - 1, axis=1)[:, count - 1, None]  # the value of the last place
        alike = TIE * max(float(np.abs(self.center).max()), 1e-300)
        above, tied = drawn > last + alike, np.abs(drawn - last) <= alike
        share = (count - above.sum(axis=1)) / tied.sum(axis=1)
        return (above + tied * share[:, None]).mean(axis=0)


@dataclass(frozen=True)
class Estimate:
    """value: (n,). fit: what the value belongs to. interval: or None, and then `note` says why."""

    value: np.ndarray
    fit: str
    interval: Interval | None = None
    note: str = ""
