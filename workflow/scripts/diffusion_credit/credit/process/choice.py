"""What to measure next: subsets that leave the least variance in the differences between contributors' values.

How sure a measurement will make the values does not depend on what it finds, so its worth is known beforehand in
closed form. Offers are compared by the sum over contributors of the variance of the value less the mean of all values,
averaged over the hyperparameters (A-optimal design), and taken one after the other, each as the best after those before
it. ShaplEIG (arXiv 2606.02247) chooses by expected information gain under one Hamming covariance.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from diffusion_credit.credit.process.covariance import Tables
from diffusion_credit.credit.process.harmonics import harmonic
from diffusion_credit.credit.process.likelihood import Alike, Data
from diffusion_credit.credit.process.posterior import Process, Semivalues

Array = np.ndarray

POINTS = 8  # of the hyperparameters, those with the largest weights: each holds a matrix of data by offers


def choose(weighed: Sequence[tuple[Process, float]], offers: Array, predecessors: Array, count: int) -> Array:
    """Indices (count,) of offers in the order of choice. An offer may come again: it is then worth a further replicate.

    weighed: each property's process, and what a unit of variance of its values, in squared units of F, counts; one
    over its `uncertainty` makes all properties count alike. offers: (k, rows, n) bool of proper subsets, the rows of
    an offer are measured together, such as a complementary pair. predecessors: P (n,) of the semivalue.
    """
    beliefs = []
    for process, weight in weighed:
        order = np.argsort(-process.weights, kind="stable")[:POINTS]
        shares = weight * process.likelihood.scale**2 * process.weights[order] / process.weights[order].sum()
        for share, point in zip(shares, process.points[order], strict=True):
            beliefs.append((float(share), Belief(process, point, offers, predecessors)))
    rows = offers.reshape(-1, offers.shape[2])
    chosen: list[int] = []
    for _ in range(count):
        chosen.append(int(np.argmax(sum(share * belief.gains() for share, belief in beliefs))))
        alike = Alike(offers.shape[2], beliefs[0][1].most, rows, offers[chosen[-1]])
        for _, belief in beliefs:
            belief.measure(chosen[-1], alike)
    return np.array(chosen, dtype=int)


def uncertainty(process: Process, predecessors: Array) -> float:
    """Sum over contributors of the variance of the value less the mean of all values, in squared units of F."""
    _, covariance = process.answer(Semivalues(predecessors))
    return float(np.trace(covariance) - covariance.sum() / len(covariance))


class Belief:
    """What is believed of offers at one point of the hyperparameters, in squared units of the process's scale.

    cross: (k, rows, n) covariance of F at the offers with the values less their mean. among: (k, rows, rows) covariance
    of what measuring an offer finds, noise included. known: (m, k * rows) the inverse of the data's Cholesky factor
    times the covariance of data and offers; what is chosen adds rows to it, which are kept in `later`.
    """

    def __init__(self, process: Process, point: Array, offers: Array, predecessors: Array) -> None:
        k, rows, n = offers.shape
        data, members = process.data, offers.reshape(-1, n)
        self.tables = process.likelihood.family.tables(point)
        self.most = len(self.tables.orders) - 1
        lower, _ = process.likelihood.factor(self.tables)
        seen = Alike(n, self.most, data.members, members).covariance(self.tables)
        self.known = solve_triangular(lower, seen, lower=True, check_finite=False)
        self.later = np.empty((0, k * rows))
        values = Semivalues(predecessors)
        measured, _ = values.asked(data, self.tables)
        offered, _ = values.asked(_unmeasured(members), self.tables)
        found = solve_triangular(lower, measured.T, lower=True, check_finite=False)
        cross = offered.T - self.known.T @ found
        self.cross = (cross - cross.mean(axis=1, keepdims=True)).reshape(k, rows, n)
        each = self.known.T.reshape(k, rows, -1)
        self.among = _within(offers, self.tables) - each @ each.transpose(0, 2, 1)
        self.among[:, range(rows), range(rows)] += self.tables.noise[offers.sum(axis=2) - 1]

    def gains(self) -> Array:
        """By how much each offer would lower the sum of the variances: (k,)."""
        return (self.cross * np.linalg.solve(self.among, self.cross)).sum(axis=(1, 2))

    def measure(self, at: int, alike: Alike) -> None:
        """Goes on to the posterior with offer `at` measured once more. alike: of all offers' rows with its rows."""
        k, rows, _ = self.cross.shape
        here = slice(at * rows, (at + 1) * rows)
        column = alike.covariance(self.tables) - self.known.T @ self.known[:, here]
        column -= self.later.T @ self.later[:, here]
        lower = cholesky(self.among[at], lower=True)
        added = solve_triangular(lower, column.T, lower=True)
        told = solve_triangular(lower, self.cross[at], lower=True)
        self.later = np.concatenate([self.later, added])
        each = added.T.reshape(k, rows, rows)
        self.cross = self.cross - each @ told
        self.among = self.among - each @ each.transpose(0, 2, 1)


def _within(offers: Array, tables: Tables) -> Array:
    """Covariance before any data of F at the rows of each offer: (k, rows, rows)."""
    size = offers.sum(axis=2)
    s, t = np.broadcast_arrays(size[:, :, None], size[:, None, :])
    common = offers.astype(np.int64) @ offers.transpose(0, 2, 1).astype(np.int64)
    orders = [table[s - 1, t - 1] * harmonic(offers.shape[2], j, s, t, common) for j, table in enumerate(tables.orders)]
    return sum(orders) + np.where((s == t) & (common == s), np.diag(tables.own)[s - 1], 0.0)


def _unmeasured(members: Array) -> Data:
    none = np.zeros(len(members))
    squares = np.zeros((1, members.shape[1] + 1))
    return Data(members, none, none, squares, squares, np.zeros(len(members), dtype=int))
