"""How many subsets do values need? Error, rank correlation and coverage by design and estimator, on known games.

    python benchmarks/estimators.py OUT.csv [seeds]      simulate (two processes, about 10 minutes for 30 seeds)
    python benchmarks/estimators.py OUT.csv --draw OUT.png

Noise is a share of the standard deviation of F over subsets of the Shapley kernel, the same for the ends, which
have five seeds each. error = |values - truth| / |truth - mean truth|: equal shares of the same noisy total are in the
table for comparison, about 1. Seeds are for n = 50; n = 10 gets four times as many, so that coverage is as sure.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, product
from pathlib import Path

import numpy as np
from games import GAMES
from scipy import stats

from diffusion_credit.base.tables import read_csv, write_csv
from diffusion_credit.credit.estimators import datamodel, paper, permutation, ridge, surrogate
from diffusion_credit.credit.utilities import Utilities
from diffusion_credit.subsets.draws import DESIGNS, Game
from diffusion_credit.subsets.reserved import Reserved

PLAYERS, SUBSETS, NOISE = (10, 20, 50, 258), (100, 200, 500, 1000), (0.0, 0.1, 0.5)
CELLS = [(10, 100), (10, 200), (20, 200), (20, 500), (50, 200), (50, 500), (50, 1000), (258, 500), (258, 1000)]
TIMES = {10: 4.0, 20: 2.0, 50: 1.0, 258: 0.25}  # the seeds
WAYS = {
    "paper / paper": (paper, {}, "paper"),
    "paper / paired-stratified": (paper, {}, "paired-stratified"),
    "ridge / paired-stratified (default)": (ridge, {}, "paired-stratified"),
    "ridge / paper": (ridge, {}, "paper"),
    "ridge / leverage": (ridge, {}, "leverage"),
    "permutation / permutation": (permutation, {}, "permutation"),
    "datamodel ridge / datamodel": (datamodel, {"penalty": "ridge"}, "datamodel"),
    "datamodel lasso / datamodel": (datamodel, {"penalty": "lasso"}, "datamodel"),
    "surrogate / paired-stratified": (
        surrogate,
        {"trees": 300, "depth": 3, "learning_rate": 0.05},
        "paired-stratified",
    ),
}
SLOW = ("datamodel lasso / datamodel", "surrogate / paired-stratified")  # four seeds, not at n = 258
HEADER = ["n", "subsets", "noise", "way", "game", "seed", "error", "rank_correlation", "covered"]


def members_of(design: str, n: int, seed: int) -> np.ndarray:
    return np.array(list(islice(DESIGNS[design](Game(n, seed, Reserved(n, [], seed))), max(SUBSETS))))


def simulate(task: tuple[int, int]) -> list[list[object]]:
    """All cells of one number of players, one seed."""
    n, seed = task
    designs = {design: members_of(design, n, seed) for design in {way[2] for way in WAYS.values()}}
    out: list[list[object]] = []
    for (at, (name, make)), noise in product(enumerate(GAMES.items()), NOISE):
        f, truth = make(n, np.random.default_rng([seed, at, n]))
        away = float(np.linalg.norm(truth - truth.mean()))
        deviation = noise * float(np.std(f(designs["paper"])))
        ends = []
        for value in (True, False):
            rng = np.random.default_rng([seed, at, n, 2 + value])
            ends.append(f(np.full((5, n), value)) + deviation * rng.normal(size=5))
        utilities = {
            design: f(members) + deviation * np.random.default_rng([seed, at, n, 4]).normal(size=len(members))
            for design, members in designs.items()
        }
        names = [f"c{i}" for i in range(n)]
        for m in SUBSETS:
            equal = np.full(n, (ends[0].mean() - ends[1].mean()) / n)
            out.append([n, m, noise, "equal shares", name, seed, float(np.linalg.norm(equal - truth)) / away, "", ""])
            for way, (module, options, design) in WAYS.items():
                if (way in SLOW and (seed >= 4 or n == 258)) or (design == "permutation" and m < n):
                    continue
                game = Utilities(names, designs[design][:m], utilities[design][:m], *ends)
                found = module.estimate(game, options)
                value = found.value - found.value.mean() + equal if module is datamodel else found.value
                error = float(np.linalg.norm(value - truth)) / away
                rank = float(stats.spearmanr(value, truth).statistic) if np.ptp(value) > 0 else 0.0
                covered: object = ""
                if found.interval:
                    half = found.interval.half_width()
                    covered = float(np.mean(np.abs(found.interval.center - truth) <= half + 1e-9 * away))
                out.append([n, m, noise, way, name, seed, error, rank, covered])
    return out


def main() -> None:
    file = Path(sys.argv[1])
    if sys.argv[2:3] == ["--draw"]:
        return draw(file, Path(sys.argv[3]))
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    tasks = [(n, seed) for n in PLAYERS for seed in range(max(1, round(seeds * TIMES[n])))]
    rows: list[list[object]] = []
    with ProcessPoolExecutor(2) as pool:
        for done, found in enumerate(pool.map(simulate, reversed(tasks)), start=1):
            rows += found
            print(f"{done} of {len(tasks)}", flush=True)
    write_csv(file, HEADER, sorted(rows, key=lambda row: [*map(str, row[:6])]))
    return None


def draw(file: Path, picture: Path) -> None:
    """Markdown tables on standard output, and the figure."""
    import matplotlib.pyplot as plt

    from diffusion_credit.report import figures

    header, rows = read_csv(file)
    column = {name: np.array([row[i] for row in rows]) for i, name in enumerate(header)}
    n, m, noise = column["n"].astype(int), column["subsets"].astype(int), column["noise"].astype(float)
    error = np.maximum(column["error"].astype(float), 1e-6)

    def geometric(way: str, *cell: float) -> float:
        chosen = (column["way"] == way) & (n == cell[0]) & (m == cell[1]) & (noise == cell[2])
        return float(np.exp(np.log(error[chosen]).mean())) if chosen.any() else float("nan")

    def mean(name: str, chosen: np.ndarray) -> str:
        values = column[name][chosen & (column[name] != "")].astype(float)
        return f"{values.mean():.2f}" if len(values) else ""

    head = "| " + " | ".join(f"{k}, {size}" for k, size in CELLS) + " |\n" + "|---" * (1 + len(CELLS)) + "|"
    for level in NOISE[1:]:
        print(f"\nError, geometric mean over games and seeds, noise {level:.0%}\n\n| estimator / design {head}")
        for way in ["equal shares", *WAYS]:
            shown = [geometric(way, k, size, level) for k, size in CELLS]
            print(f"| {way} | " + " | ".join("" if np.isnan(x) else f"{x:.2f}" for x in shown) + " |")
    print(f"\nRank correlation, mean, noise 10%\n\n| estimator / design {head}")
    for way in WAYS:
        cells = [(column["way"] == way) & (n == k) & (m == size) & (noise == 0.1) for k, size in CELLS]
        print(f"| {way} | " + " | ".join(mean("rank_correlation", cell) for cell in cells) + " |")
    print("\nCoverage of the default's intervals: lowest and highest of the games\n\n| n, subsets | 0% | 10% | 50% |")
    print("|---" * 4 + "|")
    default = column["way"] == "ridge / paired-stratified (default)"
    for k, size in product(PLAYERS[:3], SUBSETS):
        line = []
        for level in NOISE:
            cell = default & (n == k) & (m == size) & (noise == level) & (column["covered"] != "")
            # without noise the fit of an additive or pairwise game is exact, and its interval a point
            games = list(GAMES)[2:] if level == 0 else list(GAMES)
            each = [column["covered"][cell & (column["game"] == game)].astype(float) for game in games]
            line.append(f"{min(x.mean() for x in each):.3f} to {max(x.mean() for x in each):.3f}" if cell.any() else "")
        print(f"| {k}, {size} | " + " | ".join(line) + " |")
    figure, axes = plt.subplots(2, 4, figsize=(11, 5), sharex=True, sharey="row")
    shown_ways = ["equal shares", "paper / paper", "ridge / paired-stratified (default)",
                  "permutation / permutation", "datamodel ridge / datamodel"]  # fmt: skip
    for (i, level), (j, k) in product(enumerate(NOISE[1:]), enumerate(PLAYERS)):
        for way, colour in zip(shown_ways, (figures.INK, *figures.COLOURS), strict=False):
            line = [geometric(way, k, size, level) for size in SUBSETS]
            axes[i, j].loglog(SUBSETS, line, color=colour, marker="o", markersize=3, label=way, linewidth=1.2)
        axes[i, j].set_title(f"{k} contributors, noise {level:.0%}", loc="left", fontsize=9)
        axes[i, j].set_xticks(SUBSETS, [str(size) for size in SUBSETS])
        axes[i, j].minorticks_off()
    for row in axes:
        row[0].set_yticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
        row[0].set_ylabel("error")
    for cell in axes[1]:
        cell.set_xlabel("subsets")
    axes[0, 3].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    figures.save(figure, picture)


if __name__ == "__main__":
    main()
