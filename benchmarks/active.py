"""Subsets chosen by what is known already, against fixed designs, on a real game of which every subset was measured.

    python benchmarks/active.py [seeds] [noise] [folder]      about half an hour for 10 seeds

The folder is as that of real_games.py. Active choice begins with the first batch of the default design; every further
batch is chosen by the process that is fitted to the batches before it. All values come from the same estimator,
`gaussian-process`. noise: of each measurement, as a share of the standard deviation of F between subsets of its size;
a replicate draws it anew. With none, a subset that is measured again has the same value again. Half of the subsets of
half of the contributors are held out: the LDS is of the predictions for these against retrained models. The last column
is the number of subsets with which the default design has the same error, between two lengths on a logarithmic scale.
"""

import sys
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from real_games import PROCESS, TABLES, Game, games

from diffusion_credit.base.plugins import module_of
from diffusion_credit.credit.attribution import estimate
from diffusion_credit.credit.estimators.gaussian_process import process_of
from diffusion_credit.credit.prediction import Predictor
from diffusion_credit.credit.process.choice import choose
from diffusion_credit.credit.semivalues import shapley
from diffusion_credit.credit.utilities import Utilities
from diffusion_credit.evaluation.resampling import spearman
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.offers import offers
from diffusion_credit.subsets.reserved import Reserved

BATCH, SHOWN, LONGER = 20, (60, 100, 200, 400), (800,)
DEFAULT = "paired-stratified"
ACTIVE = {"active, subsets": 1, "active, pairs": 2}  # way -> rows that are chosen together
WAYS = (DEFAULT, "leverage", *ACTIVE)


class Trial:
    """One seed of one game."""

    def __init__(self, sparse: Game, retrained: Game, seed: int, noise: float) -> None:
        self.sparse, self.truth, n = sparse, sparse.shapley(), sparse.n
        self.frame = Frame(n, seed, Reserved(n, [n // 2], seed))
        self.asked = np.array([members for members in sparse.members if members in self.frame.reserved])
        self.answers = retrained.of(self.asked)
        spread = np.array([sparse.value[sparse.size == size].std() for size in range(1, n)])
        self.deviation = noise * np.concatenate([spread[:1], spread, spread[-1:]])
        self.normal = np.random.default_rng([seed, 0]).normal(size=max(LONGER))
        ends = np.repeat([[True] * n, [False] * n], 5, axis=0)
        self.ends = self.measured(ends, np.random.default_rng([seed, 1]).normal(size=10)).reshape(2, 5)

    def measured(self, members: np.ndarray, normal: np.ndarray) -> np.ndarray:
        return self.sparse.of(members) + self.deviation[members.sum(axis=1)] * normal

    def game(self, members: np.ndarray) -> Utilities:
        names = [f"c{i}" for i in range(self.sparse.n)]
        return Utilities(names, members, self.measured(members, self.normal[: len(members)]), *self.ends)

    def members(self, way: str) -> np.ndarray:
        n = self.sparse.n
        kind, rows = (DEFAULT, BATCH) if way in ACTIVE else (way, max(LONGER))
        found = np.array(list(islice(module_of("designs", kind).stream(self.frame), rows)))
        while way in ACTIVE and len(found) < max(SHOWN):
            offered = offers(self.frame, len(found) // BATCH).reshape(-1, ACTIVE[way], n)
            chosen = choose([(process_of(self.game(found)), 1.0)], offered, shapley(n), BATCH // ACTIVE[way])
            found = np.concatenate([found, offered[chosen].reshape(-1, n)])
        return found

    def score(self, members: np.ndarray) -> list[float]:
        """Error, coverage, LDS, share of different subsets."""
        game, truth = self.game(members), self.truth
        result = estimate(game, PROCESS)
        assert result.interval is not None
        error = np.linalg.norm(result.value - truth) / np.linalg.norm(truth - truth.mean())
        covered = np.mean(np.abs(result.interval.center - truth) <= result.interval.half_width())
        lds = spearman(Predictor(game)(self.asked), self.answers)
        return [float(error), float(covered), lds, len(np.unique(members, axis=0)) / len(members)]


def as_many(error: float, curve: dict[int, float]) -> str:
    """With how many subsets a design has this error, by its errors at some lengths."""
    lengths = list(curve)
    for short, long in pairwise(lengths):
        if curve[short] >= error > curve[long]:
            part = np.log(curve[short] / error) / np.log(curve[short] / curve[long])
            return f"{short * (long / short) ** part:.0f}"
    return f"> {lengths[-1]}" if error <= curve[lengths[-1]] else f"< {lengths[0]}"


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    noise = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else TABLES
    print(f"| property | M | design | error | coverage | LDS | different | subsets of {DEFAULT} |")
    print("|---" * 8 + "|")
    for name, both in games(folder):
        if name.startswith("log ") and name != "log fid":
            continue
        found: dict[tuple[str, int], list[list[float]]] = {}
        for seed in range(seeds):
            trial = Trial(*both, seed, noise)
            for way in WAYS:
                members = trial.members(way)
                for length in (*SHOWN, *(LONGER if way == DEFAULT else ())):
                    found.setdefault((way, length), []).append(trial.score(members[:length]))
        mean = {key: np.mean(each, axis=0) for key, each in found.items()}
        curve = {length: float(mean[DEFAULT, length][0]) for length in (*SHOWN, *LONGER)}
        for length in SHOWN:
            for way in WAYS:
                cells = " | ".join(f"{x:.2f}" for x in mean[way, length])
                same = str(length) if way == DEFAULT else as_many(mean[way, length][0], curve)
                print(f"| {name} | {length} | {way} | {cells} | {same} |", flush=True)


if __name__ == "__main__":
    main()
