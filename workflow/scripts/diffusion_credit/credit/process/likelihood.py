"""How well hyperparameters explain a table of utilities."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky
from scipy.optimize import minimize

from diffusion_credit.base.seeds import generator
from diffusion_credit.credit.process.corrected import Corrected
from diffusion_credit.credit.process.covariance import Family, Tables, position
from diffusion_credit.credit.process.harmonics import harmonic

Array = np.ndarray

ROUNDS = 3  # of fitting the growth with the size and the spread around it in turn
EXACT = 1e-6  # of the spread of F: replicates that differ by less than this have no noise
GROWTH = 3  # degree of the polynomial that the first look takes for the growth


@dataclass(frozen=True)
class Data:
    """Different proper subsets: members (m, n) bool, means (m,), and the numbers of rows that these are of (m,).

    squares: (regimes, n + 1) sum of squares between rows of the same subset, by its size, with `freedom`. regime: (m,)
    which of the regimes each subset was measured in, from 0.
    """

    members: Array
    mean: Array
    rows: Array
    squares: Array
    freedom: Array
    regime: Array

    @cached_property
    def size(self) -> Array:
        return self.members.sum(axis=1)

    @property
    def regimes(self) -> int:
        return len(self.squares)

    @cached_property
    def place(self) -> Array:
        """The place of each subset in the tables of the covariance: (m,)."""
        return places(self.members, self.regime)

    def some(self, count: int) -> "Data":
        """So many of the subsets, with what all replicates say of the noise."""
        chosen = np.sort(generator(0, "some subsets").permutation(len(self.mean))[:count])
        members, mean, rows, regime = (each[chosen] for each in (self.members, self.mean, self.rows, self.regime))
        return Data(members, mean, rows, self.squares, self.freedom, regime)


def places(members: Array, regime: Array | int) -> Array:
    """Of subsets (m, n) in the tables of the covariance: (m,)."""
    found: Array = regime * (members.shape[1] - 1) + members.sum(axis=1) - 1
    return found


class Alike:
    """Which pairs of subsets have the same covariance: those of equal (s, t, c). Each has its harmonics.

    number: (a, b) which of the different triples a pair has. s, t: the places of each triple. a_regime, b_regime: of
    the subsets, (a,) and (b,) or one for all.
    """

    def __init__(
        self, n: int, most: int, a: Array, b: Array, a_regime: Array | int = 0, b_regime: Array | int = 0
    ) -> None:
        s, t = places(a, a_regime), places(b, b_regime)
        common = (a.astype(np.float32) @ b.T.astype(np.float32)).astype(np.int64)
        different = int(t.max(initial=0)) + 1
        code = (s[:, None] * different + t) * (n + 1) + common
        triples, number = np.unique(code, return_inverse=True)
        self.number = number.reshape(code.shape)
        self.s, self.t, c = triples // (n + 1) // different, triples // (n + 1) % different, triples % (n + 1)
        s, t = self.s % (n - 1) + 1, self.t % (n - 1) + 1
        self.same = (s == t) & (c == s)
        self.harmonics = [harmonic(n, j, s, t, c) for j in range(most + 1)]

    def covariance(self, tables: Tables) -> Array:
        """Of F at the pairs, without the noise of a measurement: (a, b)."""
        each = sum(table[self.s, self.t] * z for table, z in zip(tables.orders, self.harmonics, strict=True))
        return (each + np.where(self.same, tables.own[self.s, self.t], 0.0))[self.number]

    def gathered(self, weight: Array, k: int) -> tuple[list[Array], Array]:
        """Derivatives by the tables (k, k) of a number with derivatives `weight` (a, b) by the covariance."""
        each = np.bincount(self.number.ravel(), weights=weight.ravel(), minlength=len(self.s))
        place = self.s * k + self.t
        orders = [np.bincount(place, weights=each * z, minlength=k * k).reshape(k, k) for z in self.harmonics]
        own = np.bincount(place[self.same], weights=each[self.same], minlength=k * k).reshape(k, k)
        return orders, own


class Likelihood:
    """Log density of the data and of the hyperparameters, with its gradient.

    Measures F in units of its spread at middle sizes, that of the first regime: (F - center) / scale, with a center
    (regimes,) for each.
    """

    def __init__(self, n: int, data: Data) -> None:
        self.data = data
        counts = np.bincount(data.regime, minlength=data.regimes)
        self.center = np.bincount(data.regime, weights=data.mean, minlength=data.regimes) / np.maximum(counts, 1)
        first = data.regime == 0
        self.scale, spread = first_look(n, data.size[first], data.mean[first])
        self.y = (data.mean - self.center[data.regime]) / self.scale
        level = max(1.0, float(np.std(self.y)))
        exact = [self._is_exact(s, f) for s, f in zip(data.squares, data.freedom, strict=True)]
        families = [Family(n, spread, level, each) for each in exact]
        self.family: Family | Corrected = families[0] if len(families) == 1 else Corrected(*families)
        self.alike = Alike(n, self.family.most, data.members, data.members, data.regime, data.regime)
        self.squares, self.freedom = data.squares[:, 1:-1].ravel() / self.scale**2, data.freedom[:, 1:-1].ravel()
        self.noisy = np.repeat([not each for each in exact], n - 1)

    def _is_exact(self, squares: Array, freedom: Array) -> bool:
        """Whether replicates agree: those of proper subsets, or, where there are none, those of everyone."""
        proper = slice(1, -1) if freedom[1:-1].any() else slice(-1, None)
        found = float(freedom[proper].sum())
        return found > 0 and float(squares[proper].sum()) <= (EXACT * self.scale) ** 2 * found

    def factor(self, tables: Tables) -> tuple[Array, Array]:
        """Cholesky factor of the covariance of the means (m, m), and its inverse times y. Raises LinAlgError."""
        matrix = self.alike.covariance(tables)
        matrix[np.diag_indices(len(matrix))] += tables.noise[self.data.place] / self.data.rows
        lower = cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
        return lower, cho_solve((lower, True), self.y)

    def loss(self, v: Array) -> tuple[float, Array]:
        """Minus the log density, but for a constant, and its gradient."""
        tables = self.family.tables(v)
        try:
            lower, solved = self.factor(tables)
        except LinAlgError:
            return 1e10, np.zeros(len(v))
        value = 0.5 * self.y @ solved + np.log(np.diag(lower)).sum()
        inverse = cho_solve((lower, True), np.eye(len(lower)), overwrite_b=True)
        weight = 0.5 * (inverse - np.outer(solved, solved))
        orders, own = self.alike.gathered(weight, len(tables.noise))
        each = np.diag(weight) / self.data.rows
        noise = np.bincount(self.data.place, weights=each, minlength=len(tables.noise))
        squares, freedom = self.squares * self.noisy, self.freedom * self.noisy
        value += 0.5 * (freedom * np.log(tables.noise) + squares / tables.noise).sum()
        noise = noise + 0.5 * (freedom - squares / tables.noise) / tables.noise
        mean, deviation = self.family.prior
        away = (v - mean) / deviation
        gradient = self.family.gradient(v, orders, own, noise) + away / deviation
        return float(value + 0.5 * away @ away), gradient


def first_look(n: int, size: Array, y: Array) -> tuple[float, Array]:
    """Spread of F between subsets of a middle size, and that of each size relative to it: (n - 1,). size, y: (m,).

    The logarithm of the spread is a parabola in the position of the size, by maximum a posteriori.
    """
    x = position(n, size)
    degree = min(GROWTH, len(np.unique(x)) - 1)
    left = y - np.polyval(np.polyfit(x, y, degree), x)
    scale = float(np.sqrt((left**2).sum() / max(len(y) - degree - 1, 1)))
    if scale <= 1e-12 * np.abs(y).max():  # nothing is left between subsets of one size
        return float(np.std(y)) or 1.0, np.ones(n - 1)
    powers, bound = np.stack([np.ones_like(x), x, x**2]), np.array([0.0, 1 / 1.5**2, 1 / 0.7**2])
    coefficients = np.zeros(3)
    for _ in range(ROUNDS):

        def loss(w: Array, left: Array = left) -> tuple[float, Array]:
            logarithm = np.clip(w @ powers, -15, 15)
            square = (left / scale) ** 2 * np.exp(-2 * logarithm)
            return float((logarithm + square / 2).sum() + bound @ w**2 / 2), powers @ (1 - square) + bound * w

        coefficients = minimize(loss, np.zeros(3), jac=True, method="L-BFGS-B").x
        weight = np.exp(-np.clip(coefficients @ powers, -15, 15))
        left = y - np.polyval(np.polyfit(x, y, degree, w=weight), x)
    at = position(n, np.arange(1, n))
    shape = np.exp(np.clip(coefficients[1] * at + coefficients[2] * at**2, -15, 15))
    return scale * float(np.exp(coefficients[0])), shape
