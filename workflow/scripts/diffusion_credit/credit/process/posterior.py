"""What the process believes after it has seen a table of utilities: semivalues, and F of any subset."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import gammaln

from diffusion_credit.credit.process.covariance import Tables
from diffusion_credit.credit.process.integration import points
from diffusion_credit.credit.process.likelihood import Alike, Data, Likelihood, places

Array = np.ndarray

LEARN = 1000  # different subsets that hyperparameters are learnt from; the posterior is of all of them


class Question(Protocol):
    """A vector of k numbers that are linear in F."""

    def asked(self, data: Data, tables: Tables) -> tuple[Array, Array]:
        """Its covariance with F of the data's subsets (k, m), and its own before any data (k, k), or (k,) of each."""

    def constant(self, level: Array) -> Array | float:
        """The numbers (k,) if F were `level` (regimes,) at every proper subset."""


class Process:
    """The posterior of F at proper subsets, over the hyperparameters that the data allow.

    Of several regimes it is F in the last one that is asked for, unless the question says otherwise.
    """

    def __init__(self, n: int, data: Data) -> None:
        self.data, self.likelihood = data, Likelihood(n, data)
        learner = self.likelihood if len(data.mean) <= LEARN else Likelihood(n, data.some(LEARN))
        self.points, self.weights = points(learner)

    def answer(self, question: Question) -> tuple[Array, Array]:
        """Mean (k,) and covariance (k, k), or variances (k,) where the question has these alone."""
        means, spreads = [], []
        for v in self.points:
            tables = self.likelihood.family.tables(v)
            lower, solved = self.likelihood.factor(tables)
            cross, prior = question.asked(self.data, tables)
            known = solve_triangular(lower, cross.T, lower=True, check_finite=False)
            means.append(cross @ solved)
            spreads.append(prior - (known.T @ known if prior.ndim == 2 else (known**2).sum(axis=0)))
        mean = np.tensordot(self.weights, means, 1)
        away = np.array(means) - mean
        between = away[:, :, None] * away[:, None] if spreads[0].ndim == 2 else away**2
        scale = self.likelihood.scale
        spread = np.tensordot(self.weights, np.array(spreads) + between, 1)
        return mean * scale + question.constant(self.likelihood.center), spread * scale**2


@dataclass(frozen=True)
class Semivalues:
    """The part of every contributor's semivalue that proper subsets make up. predecessors: P (n,).

    everywhere: in each regime, one after the other, instead of the last one.

    A semivalue is the same for every order of contributors, so by Schur's lemma only what depends on the size (j = 0)
    and contributors one by one (j = 1) reach it.
    """

    predecessors: Array
    everywhere: bool = False

    def asked(self, data: Data, tables: Tables) -> tuple[Array, Array]:
        n, p = len(self.predecessors), self.predecessors
        size = np.arange(1, n)
        before, after = p[:-1], p[1:]  # of a size s: P(s - 1), what members count it by, and P(s), what others do
        level = before - after
        root = np.sqrt(n / (size * (n - size)))  # z_1 = root(s) root(t) (c - s t / n)
        single = root * (before * (n - size) + after * size) / (n - 1)
        choices = gammaln(n) - gammaln(size) - gammaln(n - size + 1)  # log of n - 1 choose s - 1
        gain = before * np.exp(-choices)  # the coefficient of a subset with the contributor
        loss = after * np.exp(-choices) * size / (n - size)  # and minus that of one without
        place, at, members = data.place, data.size - 1, data.members
        centred = root[at][:, None] * (members - data.size[:, None] / n)
        coefficient = np.where(members, gain[at][:, None], -loss[at][:, None])
        both = (size - 1) / (n - 1) * before * gain - 2 * (n - size) / (n - 1) * before * loss
        both += (n - 1 - size) / (n - 1) * after * loss
        alone = before * gain + after * loss
        regimes = [slice(start, start + n - 1) for start in range(0, len(tables.noise), n - 1)]  # the places of each
        crosses, priors = [], []
        for one in regimes if self.everywhere else regimes[-1:]:
            by_level, by_single = level @ tables.orders[0][one], single @ tables.orders[1][one]
            own = coefficient * tables.own[one][at, place][:, None]
            crosses.append((by_level[place][:, None] + by_single[place][:, None] * centred + own).T)
            row = []
            for other in regimes if self.everywhere else regimes[-1:]:
                variance, alike = np.diag(tables.own[one, other]), single @ tables.orders[1][one, other] @ single
                same = level @ tables.orders[0][one, other] @ level - alike / n + variance @ both
                row.append(np.full((n, n), same) + np.eye(n) * (alike + variance @ (alone - both)))
            priors.append(row)
        return np.concatenate(crosses), np.block(priors)

    def constant(self, level: Array) -> Array:
        asked = level if self.everywhere else level[-1:]
        return np.repeat(asked, len(self.predecessors)) * (self.predecessors[0] - self.predecessors[-1])


@dataclass(frozen=True)
class Subsets:
    """F of proper subsets: members (k, n) bool."""

    members: Array

    def asked(self, data: Data, tables: Tables) -> tuple[Array, Array]:
        n, regime = self.members.shape[1], data.regimes - 1
        alike = Alike(n, len(tables.orders) - 1, self.members, data.members, regime, data.regime)
        size = np.arange(len(tables.noise)) % (n - 1) + 1
        most = np.minimum(size, n - size)  # the highest order that a size has
        prior = [np.where(j <= most, np.diag(table), 0) for j, table in enumerate(tables.orders)]
        return alike.covariance(tables), (np.diag(tables.own) + sum(prior))[places(self.members, regime)]

    def constant(self, level: Array) -> float:
        return float(level[-1])
