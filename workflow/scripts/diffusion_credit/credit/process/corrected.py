"""A cheap regime and the one that it stands for, in one covariance: what the dear one shows corrects the cheap one.

F in the dear regime is believed to be a multiple of F in the cheap one plus a difference of its own, independent of it:
source M. C. Kennedy and A. O'Hagan, doi 10.1093/biomet/87.1.1, equation 1, with exchangeable processes of subsets.
Where both regimes agree the difference is found to be small, and cheap subsets say much of the dear values.
"""

from dataclasses import dataclass

import numpy as np

from diffusion_credit.credit.process.covariance import DEVIATION, MEAN, Family, Tables

Array = np.ndarray

MULTIPLE = (1.0, 0.5)  # mean and standard deviation of what is believed of the multiple
HALF = len(MEAN)  # hyperparameters of either process; the last of all is the multiple


@dataclass(frozen=True)
class Corrected:
    """All covariances of a game in two regimes; places of the dear one come second. cheap, difference: of one game."""

    cheap: Family
    difference: Family

    @property
    def most(self) -> int:
        """The highest order that is modelled."""
        return self.cheap.most

    @property
    def prior(self) -> tuple[Array, Array]:
        """Mean and standard deviation of what is believed of the hyperparameters: (35,), (35,)."""
        return np.append(np.tile(MEAN, 2), MULTIPLE[0]), np.append(np.tile(DEVIATION, 2), MULTIPLE[1])

    def tables(self, v: Array) -> Tables:
        """The covariance at hyperparameters v (35,)."""
        cheap, difference = self.cheap.tables(v[:HALF]), self.difference.tables(v[HALF:-1])
        orders = [_joint(a, b, v[-1]) for a, b in zip(cheap.orders, difference.orders, strict=True)]
        return Tables(orders, _joint(cheap.own, difference.own, v[-1]), np.append(cheap.noise, difference.noise))

    def gradient(self, v: Array, orders: list[Array], own: Array, noise: Array) -> Array:
        """Derivatives by v (35,) of a number whose derivatives by the entries of the tables are given."""
        cheap = self.cheap.tables(v[:HALF])
        n, multiple, every = self.cheap.n - 1, v[-1], [*orders, own]
        across = [each[:n, n:] + each[n:, :n] for each in every]
        below = [each[n:, n:] for each in every]
        first = [w[:n, :n] + multiple * a + multiple**2 * b for w, a, b in zip(every, across, below, strict=True)]
        by_multiple = sum(
            float((table * (a + 2 * multiple * b)).sum())
            for table, a, b in zip([*cheap.orders, cheap.own], across, below, strict=True)
        )
        return np.concatenate(
            [
                self.cheap.gradient(v[:HALF], first[:-1], first[-1], noise[:n]),
                self.difference.gradient(v[HALF:-1], below[:-1], below[-1], noise[n:]),
                [by_multiple],
            ]
        )


def _joint(cheap: Array, difference: Array, multiple: float) -> Array:
    return np.block([[cheap, multiple * cheap], [multiple * cheap, multiple**2 * cheap + difference]])
