"""Least squares on a table of utilities, for every semivalue.

A semivalue is an average of marginal contributions F(S + i) - F(S), weighted by the number of predecessors |S|: with
P(k), k = 0..n-1, the distribution of that number (uniform: Shapley; binomial: Banzhaf),

- the values less their mean are those of least squares on x - |S|/n and a free function of |S|, in which the
  subsets of size s together weigh n P(s-1) / s + n P(s) / (n-s);
- their mean is the sum over k of P(k) (mean F at size k+1 - mean F at size k), for Shapley the total / n.

The free function of the size (Shapley value zero, by symmetry) takes out saturation, so that noisy ends and the
common growth of F never reach the differences between contributors. Source of the kernel: Charnes et al. 1988; of
least squares for Shapley values: arXiv 1705.07874, theorem 2; for size functions the identity is tested by brute force.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import comb

import numpy as np

PAIRS_NEEDED = 2  # times the contributors; below, the sandwich has too few degrees of freedom
EFFECTIVE_NEEDED = 1.2  # likewise, counted by weight: a few heavy rows are no sample
GAP = 0.25  # share of the kernel in neighbouring sizes without a row, above which values are not those asked for
NOTHING = 1e-18  # of the squares before size functions are taken out: what is left below is rounding
KNOTS = 8  # of the free function of the size, before they are mirrored
CAUTION = 1.2  # what a degree of freedom counts in cross-validation; 1 follows noise when subsets are few
NO_DIFFERENCES = "cross-validation finds no differences: equal shares"
TOO_FEW = "differences not estimable: too few different subsets for the contributors; equal shares stand in for values"
ENDLESS = 10**300  # subsets of one size: more than that is no floating-point number
WORK = 5e10  # multiplications up to which degrees of freedom are computed exactly


def kernel(predecessors: np.ndarray) -> np.ndarray:
    """Weight of all subsets of each size 1..n-1 together, summing to 1: (n - 1,). predecessors: P, (n,)."""
    n = len(predecessors)
    size = np.arange(1, n)
    weight = predecessors[:-1] / size + predecessors[1:] / (n - size)
    return weight / weight.sum()


def pairs(members: np.ndarray, beside: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows that are each other's complement, the smaller one first, and the rows that are left: (p,), (p,), (s,).

    The i-th row of a subset is matched with the i-th row of its complement. beside: (rows, others) bool, which the
    two rows of a pair have in common.
    """
    common = members[:, :0] if beside is None else beside
    keys, others = (
        [row.tobytes() for row in np.packbits(np.hstack([rows, common]), axis=1)] for rows in (members, ~members)
    )
    waiting: dict[bytes, list[int]] = {}
    matched = []
    for row, (key, other) in enumerate(zip(keys, others, strict=True)):
        if waiting.get(other):
            matched.append((waiting[other].pop(0), row))
        else:
            waiting.setdefault(key, []).append(row)
    sizes = members.sum(axis=1)
    ordered = [(a, b) if sizes[a] <= sizes[b] else (b, a) for a, b in matched]
    first, second = np.array(ordered, dtype=int).reshape(-1, 2).T
    return first, second, np.array(sorted(row for rows in waiting.values() for row in rows), dtype=int)


@dataclass(frozen=True)
class Regression:
    """Utilities as a regression: one row a complementary pair (half the difference) or a single subset.

    z: (rows, n) x - |S|/n. y: (rows,). size: (rows,), of a pair the smaller. paired: (rows,). weight: (rows,), mean 1.
    noise: (rows,) variance of y by training alone, as replicates show it. known: (rows,) share of all subsets of the
    row's size that have been measured; 0 where the noise is not known.
    """

    z: np.ndarray
    y: np.ndarray
    size: np.ndarray
    paired: np.ndarray
    weight: np.ndarray
    noise: np.ndarray
    known: np.ndarray

    @classmethod
    def of(
        cls,
        members: np.ndarray,
        value: np.ndarray,
        weights: np.ndarray,
        importance: np.ndarray | None = None,
        noise: np.ndarray | None = None,
    ) -> "Regression":
        """members: (rows, n) bool, different proper subsets. value: (rows,), means over replicates.

        weights: (n - 1,) of all subsets of each size together. Each observed size weighs what `weights` gives it,
        however often it was drawn; within a size rows weigh the same, or by `importance` (rows,), such as the number
        of replicates. noise: (rows,) variances of the means by training alone, when known. Half the difference of a
        pair is all that a pair says about contributors; a pair's sum only adds noise.
        """
        n = members.shape[1]
        size = members.sum(axis=1)
        importance = np.ones(len(size)) if importance is None else importance
        weight = weights[size - 1] * importance / np.bincount(size, weights=importance, minlength=n)[size]
        z = members - size[:, None] / n
        everything = np.arange(len(z))
        symmetric = np.allclose(weights, weights[::-1])
        first, second, single = pairs(members) if symmetric else (everything[:0], everything[:0], everything)
        rows = np.concatenate([first, single])
        total = np.concatenate([weight[first] + weight[second], weight[single]])
        subsets = {s: float(min(comb(n, s), ENDLESS)) for s in set(size.tolist())}
        known = np.bincount(size, minlength=n)[size] / np.array([subsets[s] for s in size.tolist()])
        if noise is None:
            noise, known = np.zeros(len(size)), np.zeros(len(size))
        return cls(
            z[rows],
            np.concatenate([(value[first] - value[second]) / 2, value[single]]),
            size[rows],
            np.arange(len(rows)) < len(first),
            total / total.mean(),
            np.concatenate([(noise[first] + noise[second]) / 4, noise[single]]),
            np.concatenate([np.minimum(known[first], known[second]), known[single]]),
        )

    @cached_property
    def without_size(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weighted z and y with the functions of the size taken out, and an orthonormal basis of these."""
        n = self.z.shape[1]
        basis = size_functions(n)
        columns = basis[self.size - 1]
        columns[self.paired] = (columns[self.paired] - basis[n - self.size[self.paired] - 1]) / 2
        root = np.sqrt(self.weight)[:, None]
        columns, z, y = root * columns, root * self.z, root[:, 0] * self.y
        values, vectors = np.linalg.eigh(columns.T @ columns)
        kept = values > 1e-10 * max(values.max(initial=0.0), 1e-300)
        q = columns @ (vectors[:, kept] / np.sqrt(values[kept]))
        left = z - q @ (q.T @ z)
        if (left**2).sum() <= NOTHING * (z**2).sum():
            left = np.zeros_like(z)
        return left, y - q @ (q.T @ y), q

    @property
    def effective(self) -> float:
        """Number of rows that weigh alike and say as much (Kish's effective sample size)."""
        return float(self.weight.sum() ** 2 / (self.weight**2).sum())


def size_functions(n: int) -> np.ndarray:
    """Piecewise linear functions of the size: (n - 1, knots), a column for each size when there are few.

    Knots divide the Shapley kernel, so they are dense at small and at large sizes, where most of it is.
    """
    size = np.arange(1, n)
    shares = kernel(np.full(n, 1 / n))
    middle = np.cumsum(shares) - shares / 2
    knots = np.round(np.interp(np.linspace(0, 1, KNOTS), middle, size))
    knots = np.unique(np.concatenate([[1, n - 1], knots, n - knots]))
    return np.stack([np.interp(size, knots, row) for row in np.eye(len(knots))], axis=1)


def gaps(members: np.ndarray, weights: np.ndarray) -> list[tuple[range, str]]:
    """Stretches of sizes without a row that are too wide to say anything of, the widest first, with a sentence."""
    seen = np.bincount(members.sum(axis=1), minlength=members.shape[1])[1:] > 0
    edges = np.concatenate([[0], 1 + np.flatnonzero(seen), [len(weights) + 1]])
    runs = [(float(weights[a : b - 1].sum()), a + 1, b - 1) for a, b in pairwise(edges)]
    found = []
    for share, first, last in sorted(runs, reverse=True):
        if share > GAP:
            sizes = f"size {first}" if first == last else f"sizes {first} to {last}"
            found.append((range(first, last + 1), f"no subsets of {sizes}, {share:.0%} of the weight"))
    return found


def least_squares(regression: Regression) -> np.ndarray:
    """Contrasts (n,), summing to 0, without a penalty; the shortest ones where the rows leave a choice."""
    z, y, _ = regression.without_size
    return np.linalg.pinv(z.T @ z, rcond=1e-11, hermitian=True) @ (z.T @ y)


def ridge(regression: Regression) -> tuple[np.ndarray, str]:
    """Contrasts (n,), summing to 0, shrunk towards equal shares by the penalty of least cross-validation; a note.

    The note says so when the largest penalty is best, or when rows are too few to find another: then the contrasts keep
    an order, but no size. Source:
    doi 10.1080/00401706.1979.10489751, each degree of freedom counted CAUTION times
    (doi 10.1046/j.1369-7412.2003.05316.x).
    """
    z, y, q = regression.without_size
    values, vectors = np.linalg.eigh(z.T @ z)
    kept = values > 1e-11 * max(values.max(initial=0.0), 1e-300)
    values, vectors = values[kept], vectors[:, kept]
    if not len(values):
        return np.zeros(z.shape[1]), NO_DIFFERENCES
    c = vectors.T @ (z.T @ y)
    residual = float(((y - z @ (vectors @ (c / values))) ** 2).sum())
    penalty = values.max() * np.logspace(-12, 4, 321)[:, None]
    lost = ((penalty / (values + penalty)) ** 2 * c**2 / values).sum(axis=1) + residual
    freedom = len(y) - q.shape[1] - CAUTION * (values / (values + penalty)).sum(axis=1)
    score = np.where(freedom > 1e-9, lost / np.maximum(freedom, 1e-9) ** 2, np.inf)
    best = int(np.argmin(score)) if np.isfinite(score).any() else len(penalty) - 1
    note = ""
    if best == len(penalty) - 1:
        few = len(y) - q.shape[1] <= CAUTION * len(values)  # then cross-validation cannot do without the penalty
        note = TOO_FEW if few else NO_DIFFERENCES
    return vectors @ (c / (values + penalty[best, 0])), note


def sampling_distribution(regression: Regression) -> tuple[np.ndarray, np.ndarray, np.ndarray] | str:
    """Contrasts (n,) without a penalty, their covariance (n, n), degrees of freedom (n,); or why there are none.

    The covariance is the CR2 sandwich clustered by complementary pair, the degrees of freedom are Bell and
    McCaffrey's (doi 10.1162/REST_a_00552). Where replicates show the noise of training, the misfit of the subsets
    counts only as far as they are a sample: by 1 - the share of their size that was measured. CR3, the jackknife over
    pairs, covers .98 to 1 in the same simulations.
    """
    n = regression.z.shape[1]
    if len(regression.y) < PAIRS_NEEDED * n:
        found = len(regression.y)
        return f"interval not estimable: {found} different pairs or single subsets, needs {PAIRS_NEEDED * n}"
    if regression.effective < EFFECTIVE_NEEDED * n:
        return f"interval not estimable: a few heavy sizes, by weight {regression.effective:.0f} subsets for {n}"
    z, y, q = regression.without_size
    values, vectors = np.linalg.eigh(z.T @ z)
    kept = values > 1e-9 * values.max(initial=0.0)
    if kept.sum() < n - 1:
        return "interval not estimable: the subsets do not tell all contributors apart"
    basis = np.hstack([q, z @ (vectors[:, kept] / np.sqrt(values[kept]))])
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    beta, effect = inverse @ (z.T @ y), z @ inverse
    left = 1 - (basis**2).sum(axis=1)
    used = left > 1e-9  # a row that the fit must go through says nothing of the noise
    scale = np.where(used, 1 / np.where(used, left, 1), 0)
    # what is known of a size is no sample of it: of that share only the noise of training is uncertain
    known, noise = regression.known, regression.weight * regression.noise
    variance = (1 - known) * scale * (y - z @ beta) ** 2 + known * noise
    half = effect * np.sqrt(variance)[:, None]
    freedom = np.full(n, float(used.sum() - basis.shape[1]))
    if n * basis.size * basis.shape[1] < WORK:
        share = effect**2 * scale[:, None]
        own = (share**2 * (2 * left - 1)[:, None]).sum(axis=0)
        cross = [float((((basis * column[:, None]).T @ basis) ** 2).sum()) for column in share.T]
        total = (share * left[:, None]).sum(axis=0) ** 2
        freedom = total / np.maximum(own + cross, 1e-300)
    return beta, half.T @ half, np.maximum(freedom, 1.0)
