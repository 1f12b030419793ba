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
from typing import Any

import numpy as np
from games import GAMES
from scipy import stats

from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.tables import read_csv, write_csv
from diffusion_credit.credit.attribution import estimate
from diffusion_credit.credit.utilities import Utilities
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.reserved import Reserved

PLAYERS, SUBSETS, NOISE = (10, 20, 50, 258), (100, 200, 500, 1000), (0.0, 0.1, 0.5)
CELLS = [(10, 100), (10, 200), (20, 200), (20, 500), (50, 200), (50, 500), (50, 1000), (258, 500), (258, 1000)]
TIMES = {10: 4.0, 20: 2.0, 50: 1.0, 258: 0.25}  # the seeds
RIDGE, PROCESS = "ridge / paired-stratified", "gaussian-process / paired-stratified (default)"
WAYS = {  # estimator / design -> options of the estimator, design
    "paper / paper": ({"kind": "paper"}, "paper"),
    "paper / paired-stratified": ({"kind": "paper"}, "paired-stratified"),
    RIDGE: ({"kind": "ridge"}, "paired-stratified"),
    PROCESS: ({"kind": "gaussian-process", "of": "shapley"}, "paired-stratified"),
    "ridge / paper": ({"kind": "ridge"}, "paper"),
    "ridge / leverage": ({"kind": "ridge"}, "leverage"),
    "permutation / permutation": ({"kind": "permutation"}, "permutation"),
    "datamodel ridge / datamodel": ({"kind": "datamodel", "penalty": "ridge"}, "datamodel"),
    "datamodel lasso / datamodel": ({"kind": "datamodel", "penalty": "lasso"}, "datamodel"),
    "surrogate / paired-stratified": (
        {"kind": "surrogate", "trees": 300, "depth": 3, "learning_rate": 0.05},
        "paired-stratified",
    ),
}
SLOW = ("datamodel lasso / datamodel", "surrogate / paired-stratified")  # four seeds, not at n = 258
HEADER = ["n", "subsets", "noise", "way", "game", "seed", "error", "rank_correlation", "covered", "width"]


def members_of(design: str, n: int, seed: int) -> np.ndarray:
    frame = Frame(n, seed, Reserved(n, [], seed))
    return np.array(list(islice(module_of("designs", design).stream(frame), max(SUBSETS))))


def simulate(task: tuple[int, int]) -> list[list[object]]:
    """All cells of one number of players, one seed."""
    n, seed = task
    designs = {design: members_of(design, n, seed) for design in {design for _, design in WAYS.values()}}
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
            error = float(np.linalg.norm(equal - truth)) / away
            out.append([n, m, noise, "equal shares", name, seed, error, "", "", ""])
            for way, (options, design) in WAYS.items():
                if (way in SLOW and (seed >= 4 or n == 258)) or (design == "permutation" and m < n):
                    continue
                if way == PROCESS and (n, m) not in CELLS:
                    continue
                game = Utilities(names, designs[design][:m], utilities[design][:m], *ends)
                found = estimate(game, options)
                moved = options["kind"] == "datamodel"  # its values do not sum to the total
                value = found.value - found.value.mean() + equal if moved else found.value
                error = float(np.linalg.norm(value - truth)) / away
                rank = float(stats.spearmanr(value, truth).statistic) if np.ptp(value) > 0 else 0.0
                covered, width = "", ""  # type: object, object
                if found.interval:
                    half = found.interval.half_width()
                    width = float(2 * half.mean()) / away
                    covered = float(np.mean(np.abs(found.interval.center - truth) <= half + 1e-9 * away))
                out.append([n, m, noise, way, name, seed, error, rank, covered, width])
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
    compare(column, n, m, noise, geometric)
    print("\nCoverage of the intervals of ridge: lowest and highest of the games\n\n| n, subsets | 0% | 10% | 50% |")
    print("|---" * 4 + "|")
    default = column["way"] == RIDGE
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
    shown_ways = ["equal shares", "paper / paper", RIDGE, PROCESS, "datamodel ridge / datamodel"]
    for (i, level), (j, k) in product(enumerate(NOISE[1:]), enumerate(PLAYERS)):
        for way, colour in zip(shown_ways, (figures.INK, *figures.COLOURS), strict=False):
            line = np.array([geometric(way, k, size, level) for size in SUBSETS])
            there = np.isfinite(line)
            style = {"color": colour, "marker": "o", "markersize": 3, "linewidth": 1.2, "label": way}
            axes[i, j].loglog(np.array(SUBSETS)[there], line[there], **style)
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


def compare(column: dict[str, np.ndarray], n: np.ndarray, m: np.ndarray, noise: np.ndarray, geometric: Any) -> None:
    """The process beside the default: ratio of errors, coverage of the lowest and highest game, ratio of widths."""
    print("\nProcess against ridge\n\n| n, subsets, noise | error ratio | coverage | width ratio |")
    print("|---" * 4 + "|")
    for (k, size), level in product(CELLS, NOISE[1:]):
        at = (n == k) & (m == size) & (noise == level)
        process, other = at & (column["way"] == PROCESS), at & (column["way"] == RIDGE)
        ratio = geometric(PROCESS, k, size, level) / geometric(RIDGE, k, size, level)
        covered = [column["covered"][process & (column["game"] == game)].astype(float).mean() for game in GAMES]
        widths = [column["width"][each & (column["width"] != "")].astype(float) for each in (process, other)]
        width = f"{widths[0].mean() / widths[1].mean():.2f}" if len(widths[1]) else ""
        print(f"| {k}, {size}, {level:.0%} | {ratio:.2f} | {min(covered):.3f} to {max(covered):.3f} | {width} |")


if __name__ == "__main__":
    main()
