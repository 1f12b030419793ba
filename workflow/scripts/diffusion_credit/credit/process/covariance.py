"""What is believed of F before it is measured: a covariance of subsets with a handful of hyperparameters.

F is measured in units of its spread at middle sizes. `spread` is how the spread between subsets of one size changes
with the size, a first look at the data; amplitudes are relative to it. So a property whose spread falls twentyfold
from small to large subsets is believed as readily as one whose spread stays.
"""

from dataclasses import dataclass
from functools import cached_property
from math import log

import numpy as np

Array = np.ndarray

ORDERS = 3  # of interactions that are modelled apart; what is beyond is each subset's own
VAGUE = 10.0  # standard deviation of the level of F and of its growth with the size, in spreads of F
JITTER = 1e-10  # of the vague variance, added to every measurement: it keeps matrices of thousands of rows invertible

# Hyperparameter -> mean and standard deviation of what is believed of it. All are logarithms but slopes and bends.
PRIOR = {
    "size": (0.0, 2.0),  # amplitude of what depends on the size alone, beyond a straight line
    "size_length": (0.0, 0.7),  # over which it changes, on the logit scale of the size
    "lasting": (log(0.13), 1.0),  # effects of contributors that are the same at every size
    "single": (log(0.13), 1.0),  # effects of contributors that change with the size
    "single_slope": (0.0, 0.5),
    "single_bend": (0.0, 0.3),
    "single_length": (log(1.5), 0.7),
    "lasting_pair": (log(0.1), 1.0),  # the same two for pairs
    "pair": (log(0.1), 1.0),
    "pair_slope": (0.0, 0.5),
    "pair_bend": (0.0, 0.3),
    "pair_length": (log(2.0), 0.7),
    "fall": (log(0.3), 1.0),  # amplitude of each further order, relative to the one before
    "own": (log(0.1), 1.0),  # what only this subset has
    "noise": (log(0.7), 1.0),  # of a single measurement
    "noise_slope": (0.0, 0.5),
    "noise_bend": (0.0, 0.3),
}
NAMES = list(PRIOR)
MEAN, DEVIATION = (np.array([each[at] for each in PRIOR.values()]) for at in (0, 1))


@dataclass(frozen=True)
class Tables:
    """The covariance by places: the sizes 1 to n - 1, and in further regimes these again, k in all.

    orders: A_j (k, k), j = 0, 1, ... own: (k, k), of what one subset alone has, with itself. noise: variances (k,).
    """

    orders: list[Array]
    own: Array
    noise: Array


@dataclass(frozen=True)
class Family:
    """All covariances of one game.

    n: contributors. spread: (n - 1,) by the size of a proper subset. level: standard deviation of F in spreads. exact:
    a measurement has no noise.
    """

    n: int
    spread: Array
    level: float
    exact: bool

    @cached_property
    def sizes(self) -> Array:
        return np.arange(1, self.n)

    @cached_property
    def x(self) -> Array:
        return position(self.n, self.sizes)

    @property
    def most(self) -> int:
        """The highest order that is modelled."""
        return min(ORDERS, self.n // 2)

    def tables(self, v: Array) -> Tables:
        """The covariance at hyperparameters v (17,)."""
        h = dict(zip(NAMES, v, strict=True))
        orders = [
            self._vague + np.exp(2 * h["size"]) * _matern(self._apart / np.exp(h["size_length"])),
            np.exp(2 * h["lasting"]) * self._lasting(1) + self._changing(h, "single"),
        ]
        if self.most >= 2:
            pair = self._changing(h, "pair")
            orders.append(np.exp(2 * h["lasting_pair"]) * self._lasting(2) + pair)
            orders += [pair * np.exp(2 * h["fall"] * (j - 2)) for j in range(3, self.most + 1)]
        own = np.exp(2 * h["own"]) * self._amplitude(h, "pair") ** 2
        noise = np.full(self.n - 1, JITTER * (VAGUE * self.level) ** 2)
        if not self.exact:
            noise = noise + np.exp(2 * h["noise"]) * self._amplitude(h, "noise") ** 2
        return Tables(orders, np.diag(own), noise)

    @property
    def prior(self) -> tuple[Array, Array]:
        """Mean and standard deviation of what is believed of the hyperparameters: (17,), (17,)."""
        return MEAN, DEVIATION

    def gradient(self, v: Array, orders: list[Array], own: Array, noise: Array) -> Array:
        """Derivatives by v (17,) of a number whose derivatives by the entries of the tables are given."""
        h = dict(zip(NAMES, v, strict=True))
        found = dict.fromkeys(NAMES, 0.0)
        smooth, ratio = np.exp(2 * h["size"]), self._apart / np.exp(h["size_length"])
        found["size"] = 2 * float((orders[0] * smooth * _matern(ratio)).sum())
        found["size_length"] = float((orders[0] * smooth * _matern_by_log_length(ratio)).sum())
        pairs = sum(orders[j] * np.exp(2 * h["fall"] * (j - 2)) for j in range(2, self.most + 1))
        for name, order, weight in (("single", 1, orders[1]), ("pair", 2, pairs)):
            if order > self.most:
                continue
            found |= self._by_changing(h, name, weight)
            lasting = "lasting" if order == 1 else "lasting_pair"
            found[lasting] = 2 * np.exp(2 * h[lasting]) * float((orders[order] * self._lasting(order)).sum())
        if self.most >= 3:
            pair = self._changing(h, "pair")
            found["fall"] = sum(
                2 * (j - 2) * np.exp(2 * h["fall"] * (j - 2)) * float((orders[j] * pair).sum())
                for j in range(3, self.most + 1)
            )
        alone = np.diag(own) * np.exp(2 * h["own"]) * self._amplitude(h, "pair") ** 2
        found["own"] = 2 * alone.sum()
        found["pair_slope"] += 2 * float(alone @ self.x)
        found["pair_bend"] += 2 * float(alone @ _bend(self.x))
        if not self.exact:
            each = noise * np.exp(2 * h["noise"]) * self._amplitude(h, "noise") ** 2
            found["noise"] = 2 * each.sum()
            found["noise_slope"] = 2 * float(each @ self.x)
            found["noise_bend"] = 2 * float(each @ _bend(self.x))
        return np.array([found[name] for name in NAMES])

    @cached_property
    def _apart(self) -> Array:
        logit = _logit(self.n, self.sizes)
        return np.abs(logit[:, None] - logit)

    @cached_property
    def _vague(self) -> Array:
        return (VAGUE * self.level) ** 2 * (1 + self.x[:, None] * self.x)

    def _amplitude(self, h: dict[str, float], name: str) -> Array:
        return self.spread * np.exp(h[f"{name}_slope"] * self.x + h[f"{name}_bend"] * _bend(self.x))

    def _changing(self, h: dict[str, float], name: str) -> Array:
        """Effects that change with the size: an amplitude for each size, alike at sizes that are near."""
        amplitude = np.exp(h[name]) * self._amplitude(h, name)
        return amplitude[:, None] * amplitude * _matern(self._apart / np.exp(h[f"{name}_length"]))

    def _by_changing(self, h: dict[str, float], name: str, weight: Array) -> dict[str, float]:
        amplitude, ratio = np.exp(h[name]) * self._amplitude(h, name), self._apart / np.exp(h[f"{name}_length"])
        both = weight * (amplitude[:, None] * amplitude)
        each = both * _matern(ratio)
        rows, columns = each.sum(axis=1), each.sum(axis=0)
        return {
            name: 2 * float(rows.sum()),
            f"{name}_slope": float((rows + columns) @ self.x),
            f"{name}_bend": float((rows + columns) @ _bend(self.x)),
            f"{name}_length": float((both * _matern_by_log_length(ratio)).sum()),
        }

    def _lasting(self, order: int) -> Array:
        """Of effects that are the same at every size, so that their sum over a subset's members grows with it."""
        s, n = self.sizes.astype(float), self.n
        own = np.ones(len(s))
        for i in range(order):
            own = own * np.maximum(s - i, 0) * np.maximum(n - s - i, 0) / (n / 2 - i) ** 2
        root = np.sqrt(own)
        return root[:, None] * root


def position(n: int, sizes: Array) -> Array:
    """Sizes on their logit scale, from -1 for single contributors to 1 for all but one: (k,)."""
    return _logit(n, sizes) / max(float(_logit(n, np.array([n - 1]))[0]), 1.0)


def _logit(n: int, sizes: Array) -> Array:
    return np.log((sizes + 0.5) / (n - sizes + 0.5))


def _bend(x: Array) -> Array:
    return 2 * x**2 - 0.8


def _matern(ratio: Array) -> Array:
    """Matern's correlation of smoothness 3/2 (Rasmussen and Williams, equation 4.17)."""
    return (1 + np.sqrt(3) * ratio) * np.exp(-np.sqrt(3) * ratio)


def _matern_by_log_length(ratio: Array) -> Array:
    return 3 * ratio**2 * np.exp(-np.sqrt(3) * ratio)
