"""Cheap models, retrained ones, or both in one fit: error of the retrained values at equal cost.

    python benchmarks/two_regimes.py [seeds] [folder]      five minutes for 4 seeds

The folder is as that of real_games.py. A retrained model costs COST cheap ones. Of what both regimes cost together,
SHARE is spent on retrained models. The truth is the exact Shapley value of the retrained table; the error is that of
the differences between contributors, as both regimes have totals of their own. LDS is of the prediction, over the
retrained subsets of half of the contributors that nobody saw.
"""

import sys
from itertools import islice
from pathlib import Path

import numpy as np
from real_games import PROCESS, TABLES, Game, games

from diffusion_credit.base.plugins import module_of
from diffusion_credit.credit.attribution import estimate
from diffusion_credit.credit.prediction import Predictor
from diffusion_credit.credit.utilities import Utilities
from diffusion_credit.evaluation.resampling import spearman
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.reserved import Reserved

COST = 3.5  # of the default study
SHARE = 0.5
BUDGETS = (100, 150, 200, 300, 400)  # in cheap models


def measured(game: Game, subsets: int, seed: int, cheap: Utilities | None = None) -> Utilities:
    frame = Frame(game.n, seed, Reserved(game.n, [], seed))
    members = np.array(list(islice(module_of("designs", "paired-stratified").stream(frame), subsets)))
    ends = [game.of(np.full((2, game.n), there)) for there in (True, False)]
    return Utilities([f"c{i}" for i in range(game.n)], members, game.of(members), *ends, cheap=cheap)


def trial(sparse: Game, retrained: Game, budget: int, seed: int) -> list[list[float]]:
    """Error, coverage and LDS of each way."""
    truth, dear = retrained.shapley(), int(budget / COST)
    ways = [
        measured(sparse, budget, seed),
        measured(retrained, dear, seed + 1000),
        measured(retrained, int(SHARE * dear), seed + 1000, measured(sparse, int((1 - SHARE) * budget), seed)),
    ]
    seen = ways[1].members @ (1 << np.arange(sparse.n))
    asked = sparse.members[(sparse.size == sparse.n // 2) & ~np.isin(np.arange(2**sparse.n), seen)]
    found = []
    for game in ways:
        result = estimate(game, PROCESS)
        assert result.interval is not None
        away = (result.value - truth) - (result.value - truth).mean()
        error = np.linalg.norm(away) / np.linalg.norm(truth - truth.mean())
        covered = np.mean(np.abs(result.interval.center - truth) <= result.interval.half_width())
        found.append([error, covered, float(spearman(Predictor(game)(asked), retrained.of(asked)))])
    return found


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else TABLES
    print("| property | cost | cheap alone: error, coverage, LDS | retrained alone | both |")
    print("|---" * 5 + "|")
    for name, both in games(folder):
        for budget in BUDGETS:
            mean = np.mean([trial(*both, budget, seed) for seed in range(seeds)], axis=0)
            cells = [" ".join(f"{x:.2f}" for x in way) for way in mean]
            print(f"| {name} | {budget} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
