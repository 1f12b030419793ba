"""Estimators on a real game of which every subset was measured: error, coverage, and prediction of retrained models.

    python benchmarks/real_games.py [seeds] [folder]      a minute for 10 seeds

The folder, benchmarks/digits_exact unless another is named, holds `<property>_sparse.csv` and `<property>_retrain.csv`:
a 0/1 column a contributor and `value`, one row at least for each of the 2^n subsets. The truth is the exact Shapley
value of the sparse table. Estimators see the first M rows of a design, the default one unless another is named; their
values are looked up, so a subset that comes twice has the same value twice. `log` before a property: its logarithm. LDS
is over the subsets of half of the contributors that the estimator has not seen.
"""

import sys
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from math import comb
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.tables import read_subsets
from diffusion_credit.credit.attribution import estimate
from diffusion_credit.credit.prediction import Predictor
from diffusion_credit.credit.utilities import Utilities
from diffusion_credit.evaluation.resampling import spearman
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.reserved import Reserved

TABLES = Path(__file__).parent / "digits_exact"
SUBSETS = (60, 100, 200, 400)
PROCESS = {"kind": "gaussian-process", "of": "shapley"}
WAYS = {  # name -> options of the estimator, design
    "paper": ({"kind": "paper"}, "paired-stratified"),
    "ridge": ({"kind": "ridge"}, "paired-stratified"),
    "process": (PROCESS, "paired-stratified"),
    "process / leverage": (PROCESS, "leverage"),
}


class Game:
    """All subsets of a game, in the order of their bits."""

    def __init__(self, path: Path, logarithm: bool) -> None:
        table = read_subsets(path, valued=True)
        assert table.value is not None
        self.n = table.members.shape[1]
        code = table.members @ (1 << np.arange(self.n))
        value = np.log(table.value) if logarithm else table.value
        self.value = np.bincount(code, weights=value) / np.bincount(code)
        self.members = (np.arange(2**self.n)[:, None] >> np.arange(self.n) & 1).astype(bool)
        self.size = self.members.sum(axis=1)

    def of(self, members: np.ndarray) -> np.ndarray:
        return self.value[members @ (1 << np.arange(self.n))]

    @cached_property
    def weights(self) -> np.ndarray:
        """Of every subset's value in the Shapley values: (n, 2^n)."""
        weight = np.array([1 / self.n / comb(self.n - 1, k) for k in range(self.n)])
        gain, loss = weight[np.maximum(self.size - 1, 0)], weight[np.minimum(self.size, self.n - 1)]
        return np.where(self.members, gain[:, None], -loss[:, None]).T

    def shapley(self) -> np.ndarray:
        return self.weights @ self.value


def games(folder: Path) -> Iterator[tuple[str, list[Game]]]:
    """Each property of a folder, and its logarithm: its name, its sparse game and its retrained one."""
    for path in sorted(folder.glob("*_sparse.csv")):
        name = path.name.removesuffix("_sparse.csv")
        for logarithm in (False, True):
            both = [Game(folder / f"{name}_{regime}.csv", logarithm) for regime in ("sparse", "retrain")]
            yield f"{'log ' * logarithm}{name}", both


def hamming(game: Utilities, every: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (n,) and predictions (2^n,) of a process with one Hamming covariance for all sizes, as ShaplEIG has it.

    Source: arXiv 2606.02247. Its constant, amplitude, length and noise are those of the largest likelihood; values
    come from the posterior of all subsets. every: (2^n, n), weight: (n, 2^n) of the Shapley value.
    """
    members, value = game.members.astype(float), game.value
    scale = value.std()
    y = (value - value.mean()) / scale

    def covariance(a: np.ndarray, b: np.ndarray, v: np.ndarray) -> np.ndarray:
        apart = a.sum(axis=1)[:, None] + b.sum(axis=1) - 2 * a @ b.T
        return np.exp(2 * v[0]) + np.exp(2 * v[1] - apart / np.exp(v[2]))

    def loss(v: np.ndarray) -> float:
        matrix = covariance(members, members, v) + (np.exp(2 * v[3]) + 1e-8) * np.eye(len(y))
        sign, logarithm = np.linalg.slogdet(matrix)
        return float(y @ np.linalg.solve(matrix, y) + logarithm) if sign > 0 else 1e10

    v = minimize(loss, [0.0, 0.0, np.log(game.n), -1.0], method="L-BFGS-B", bounds=[(-8, 4)] * 4).x
    matrix = covariance(members, members, v) + (np.exp(2 * v[3]) + 1e-8) * np.eye(len(y))
    f = covariance(every.astype(float), members, v) @ np.linalg.solve(matrix, y) * scale + value.mean()
    f[0], f[-1] = game.empty.mean(), game.everyone.mean()
    return weight @ f, f


def trial(sparse: Game, retrained: Game, subsets: int, seed: int) -> dict[str, list[float]]:
    """Way -> error, coverage, LDS of the values' sum, LDS of the prediction."""
    n, truth = sparse.n, sparse.shapley()
    frame = Frame(n, seed, Reserved(n, [], seed))
    ends = [sparse.of(np.full((2, n), there)) for there in (True, False)]
    found = {}
    for way, (options, design) in WAYS.items():
        members = np.array(list(islice(module_of("designs", design).stream(frame), subsets)))
        game = Utilities([f"c{i}" for i in range(n)], members, sparse.of(members), *ends)
        seen = np.isin(np.arange(2**n), members @ (1 << np.arange(n)))
        asked = sparse.members[(sparse.size == n // 2) & ~seen]
        measured = retrained.of(asked)
        result = estimate(game, options)
        error = np.linalg.norm(result.value - truth) / np.linalg.norm(truth - truth.mean())
        covered = np.nan
        if result.interval:
            covered = np.mean(np.abs(result.interval.center - truth) <= result.interval.half_width())
        predicted = Predictor(game)(asked) if options is PROCESS else np.full(len(asked), np.nan)
        if way == "process":
            peer, every = hamming(game, sparse.members, sparse.weights)
            away = np.linalg.norm(peer - truth) / np.linalg.norm(truth - truth.mean())
            lds = spearman(asked @ peer, measured), spearman(every[(sparse.size == n // 2) & ~seen], measured)
            found["one Hamming covariance"] = [away, np.nan, *lds]
        found[way] = [error, covered, spearman(asked @ result.value, measured), spearman(predicted, measured)]
    return found


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else TABLES
    print("| property | M | estimator | error | coverage | LDS of the sum | LDS of the prediction |")
    print("|---" * 7 + "|")
    for name, both in games(folder):
        for subsets in SUBSETS:
            trials = [trial(*both, subsets, seed) for seed in range(seeds)]
            for way in trials[0]:
                mean = np.mean([each[way] for each in trials], axis=0)
                cells = ["" if np.isnan(x) else f"{x:.2f}" for x in mean]
                print(f"| {name} | {subsets} | {way} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
