"""Every picture of the workflow. Contributor names are drawn as text, never as mark-up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from diffusion_credit.base.files import replacing
from diffusion_credit.base.names import printable
from diffusion_credit.base.tables import PREDICTION
from diffusion_credit.credit.attribution import FEW, Attribution
from diffusion_credit.report.letters import use_in_figures

INK = "#222222"
# Okabe and Ito's colour-blind-safe set, without black and yellow
COLOURS = ACCENT, SOFT, *_ = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
PALE = 0.45  # opacity of a bar that is not shown to differ from an equal share
use_in_figures()
plt.rcParams.update(
    {
        "axes.edgecolor": INK,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.dpi": 150,
        "font.size": 9,
        "text.parse_math": False,
    }
)


def save(figure: Figure, path: str | Path) -> None:
    """Write a PNG without the time and the versions that would make equal pictures differ."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def shorten(name: str, length: int = 28) -> str:
    """A name as a one-line label: unprintable characters become blanks, the middle of a long one is left out."""
    name = printable(name)
    return name if len(name) <= length else f"{name[: length - 9]}…{name[-8:]}"


def attribution_bars(result: Attribution, title: str, higher_is_better: bool) -> Figure:
    """A bar a contributor, best first, with its 95% interval; who helps in one colour, who hurts in the other.

    Pale are those who are not shown to differ from an equal share. On the right are the ranks that the evidence allows.
    Of many contributors the best and the worst, with the number of the others in the gap between them.
    """
    best, worst = result.shown
    order, others = best + worst, len(result.value) - len(best) - len(worst)
    places = [*range(len(best)), *(len(best) + 1 + i for i in range(len(worst)))]
    height = 0.9 + 0.26 * (max(places) + 1)
    figure, axes = plt.subplots(figsize=(6, height))
    values = result.value[order]
    helps = (values >= 0) == higher_is_better
    known = not np.isnan(result.low).any()
    pale = [known and result.covers_equal_share[i] != "no" for i in order]
    colours = [to_rgba(ACCENT if good else SOFT, PALE if each else 1) for good, each in zip(helps, pale, strict=True)]
    axes.barh(places, values, color=colours)
    if any(pale):
        shade = to_rgba(ACCENT, PALE)
        axes.plot([], [], "s", color=shade, markersize=7, label="pale: not shown to differ from an equal share")
    if known:
        low, high, center = result.low[order], result.high[order], result.interval_center[order]
        label = f"95% interval ({result.interval_of[0]})"
        axes.errorbar(
            center, places, xerr=(center - low, high - center),
            fmt="|", color=INK, markersize=4, elinewidth=1, label=label,
        )  # fmt: skip
        ranks = axes.secondary_yaxis("right")
        ranks.set_yticks(places, [_ranks(result.rank_low[i], result.rank_high[i]) for i in order], color=INK)
        ranks.tick_params(length=0)
        ranks.spines["right"].set_visible(False)
        ranks.set_ylabel("possible ranks", rotation=270, va="bottom")
    axes.set_yticks(places, [shorten(result.contributor[i]) for i in order])
    if worst:
        axes.text(0.01, len(best), f"… {others:,} others …", va="center", transform=axes.get_yaxis_transform())
    axes.invert_yaxis()
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.axvline(result.value.mean(), color=INK, linewidth=0.8, linestyle=":", label="equal shares")
    axes.set_xlabel(f"value: {result.value_of[0]} ({'higher' if higher_is_better else 'lower'} is better)")
    axes.set_title(title, loc="left")
    # below, where it hides no bar
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.5 / height))
    return figure


def _ranks(low: float, high: float) -> str:
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"


@dataclass(frozen=True)
class Panels:
    """A figure of two parts: side by side in a picture, or apart on a page, where they stack on a phone.

    draw: what draws each. size: width and height of the picture, and of each part, in inches.
    """

    draw: tuple[Callable[[Axes], None], Callable[[Axes], None]]
    size: tuple[tuple[float, float], tuple[float, float]]

    def side_by_side(self, title: str) -> Figure:
        figure, axes = plt.subplots(1, 2, figsize=self.size[0])
        for each, draw in zip(axes, self.draw, strict=True):
            draw(each)
        figure.suptitle(title, x=0.07, ha="left", fontsize=10)
        figure.tight_layout()
        return figure

    def apart(self) -> list[Figure]:
        found = []
        for draw in self.draw:
            figure, axes = plt.subplots(figsize=self.size[1])
            draw(axes)
            found.append(figure)
        return found


def budget_curve(rows: Sequence[Sequence[Any]], target: float | None) -> Panels:
    """The largest standard error and the LDS by the number of subsets; rows: of budget.csv."""
    draw = partial(_errors_by_subsets, rows=rows, target=target), partial(_scores_by_subsets, rows=rows)
    return Panels(draw, ((8.4, 3.4), (4.2, 3.2)))


def _errors_by_subsets(axes: Axes, rows: Sequence[Sequence[Any]], target: float | None) -> None:
    names: dict[tuple[tuple[int, float], ...], list[str]] = {}  # estimators that share an interval share a line
    for name in dict.fromkeys(row[1] for row in rows):
        line = tuple(dict.fromkeys((row[0], row[2]) for row in rows if row[1] == name and row[2] != ""))
        names.setdefault(line, []).append(name)
    for (line, sharing), colour in zip(names.items(), cycle(COLOURS), strict=False):
        if line:
            axes.plot(*zip(*line, strict=True), color=colour, marker="o", markersize=3, label=", ".join(sharing))
    if target is not None:
        axes.axhline(target, color=INK, linewidth=0.8, linestyle=":", label="target")
    axes.set_ylabel("largest standard error")
    axes.set_ylim(bottom=0)
    _by_subsets(axes, rows)


def _scores_by_subsets(axes: Axes, rows: Sequence[Sequence[Any]]) -> None:
    lines = dict.fromkeys((row[1], row[4]) for row in rows if row[5] != "")
    for (name, alpha), colour in zip(lines, cycle(COLOURS), strict=False):
        chosen = [row for row in rows if (row[1], row[4]) == (name, alpha) and row[5] != ""]
        count, lds, low, high = np.array(
            [[row[0], row[5], *(np.nan if end == "" else end for end in row[6:8])] for row in chosen], dtype=float
        ).T
        axes.plot(count, lds, color=colour, marker="o", markersize=3, label=f"{name}, alpha {alpha}")
        axes.fill_between(count, low, high, color=colour, alpha=0.12, linewidth=0)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_ylabel("LDS (95% interval)")
    if not lines:
        axes.text(0.5, 0.6, "no LDS: see the notes in the table", transform=axes.transAxes, ha="center")
    _by_subsets(axes, rows)


def _by_subsets(axes: Axes, rows: Sequence[Sequence[Any]]) -> None:
    counts = sorted({row[0] for row in rows})
    axes.set_xlabel("subsets")
    axes.set_xlim(0, max(counts, default=1) * 1.05)
    axes.set_xticks(counts[:: max(1, len(counts) // 6)])
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8)


def scatter(
    x: Sequence[np.ndarray], y: Sequence[np.ndarray], labels: Sequence[str], xlabel: str, ylabel: str, title: str
) -> Figure:
    """Clouds of points in one pair of axes."""
    figure, axes = plt.subplots(figsize=(4.4, 4))
    for cloud_x, cloud_y, label, colour in zip(x, y, labels, cycle(COLOURS), strict=False):
        axes.scatter(cloud_x, cloud_y, s=18, color=colour, alpha=0.8, label=label, linewidths=0)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_title(title, loc="left")
    # outside, where its markers cannot be taken for data
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def change_bars(names: list[str], change: np.ndarray, low: np.ndarray, high: np.ndarray, title: str) -> Figure:
    """Changes in percent with their intervals."""
    figure, axes = plt.subplots(figsize=(5, 0.9 + 0.4 * len(names)))
    errors = np.array([change - low, high - change])
    axes.barh(range(len(names)), change, xerr=errors, color=ACCENT, ecolor=INK, capsize=3, height=0.6)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("change of the property, percent (95% interval)")
    axes.set_title(title, loc="left")
    return figure


def removal(rows: Sequence[Sequence[Any]], contributors: int, title: str) -> Figure:
    """Rows of removal.csv as intervals of the expected change, with what retrained models changed by as crosses.

    Of many contributors those with the largest changes; nobody whose change is not estimable.
    """
    single = sorted((row for row in rows[:contributors] if row[5] != ""), key=lambda row: -abs(row[5]))[:FEW]
    shown = [*sorted(single, key=lambda row: row[5]), *(row for row in rows[contributors:] if row[5] != "")]
    height = 1 + 0.26 * len(shown)
    figure, axes = plt.subplots(figsize=(6, height))
    place = np.arange(len(shown))
    change, low, high = (np.array([row[column] for row in shown], dtype=float) for column in (5, 6, 7))
    axes.errorbar(
        change,
        place,
        xerr=[change - low, high - change],
        fmt="o",
        color=ACCENT,
        ecolor=INK,
        markersize=4,
        label="expected",
    )
    measured = [(row[8], at) for at, row in enumerate(shown) if row[8] != ""]
    axes.plot([x for x, _ in measured], [at for _, at in measured], "x", color=COLOURS[1], label="retrained models")
    axes.set_yticks(place, [shorten(str(row[0])) for row in shown])
    axes.invert_yaxis()
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("expected change of the property (95% interval)")
    axes.set_title(title, loc="left")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.5 / height))  # hides nothing there
    return figure


def league(rows: Sequence[Sequence[Any]], curves: Sequence[Sequence[Any]], alpha: str) -> Panels:
    """LDS of every method at one alpha, best first, and by what it cost; rows: of league.csv, curves: of cost.csv.

    The places in the first part number the methods in the second.
    """
    scored = {row[0]: row for row in rows if row[1] == alpha and row[3] != ""}
    floor = scored.pop("noise_floor", None)
    best = sorted(scored.values(), key=lambda row: -row[3])
    curves = [curve for curve in curves if curve[1] == alpha]
    height = max(4.0, 1.2 + 0.26 * len(best))
    draw = (
        partial(_ranked, best=best, floor=floor, curves=curves, scale=f"LDS at alpha {alpha}"),
        partial(_by_cost, best=best, curves=curves, scale=f"LDS at alpha {alpha}"),
    )
    return Panels(draw, ((11, height), (4.6, height)))


def _colour(row: Sequence[Any], curves: Sequence[Sequence[Any]]) -> str:
    """Of a method: whether it is of subsets' models, more and more of them, or of gradients or similarities."""
    return ACCENT if row[0].removesuffix(PREDICTION) in {curve[0] for curve in curves if curve[2] != ""} else SOFT


def _ranked(
    axes: Axes,
    best: Sequence[Sequence[Any]],
    floor: Sequence[Any] | None,
    curves: Sequence[Sequence[Any]],
    scale: str,
) -> None:
    for place, row in enumerate(best):
        colour = _colour(row, curves)
        if row[4] != "":
            axes.plot(row[4:6], [place, place], color=colour, linewidth=1.2)
        axes.plot(row[3], place, "o", color=colour, markersize=4)
    axes.set_yticks(range(len(best)), [f"{shorten(row[0])}  {i + 1}" for i, row in enumerate(best)])
    axes.invert_yaxis()
    axes.axvline(0, color=INK, linewidth=0.8)
    if floor:
        axes.axvline(floor[3], color=INK, linewidth=0.8, linestyle=":", label="noise floor")
        axes.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1))
    axes.set_xlabel(f"{scale} (95% interval)")


def _by_cost(axes: Axes, best: Sequence[Sequence[Any]], curves: Sequence[Sequence[Any]], scale: str) -> None:
    for place, row in enumerate(best, start=1):
        points = [(c[3], c[4]) for c in curves if c[0] == row[0] and c[4] != "" and c[3] > 0]
        if points:
            x, y = zip(*points, strict=True)
            colour = _colour(row, curves)
            axes.plot(x, y, color=colour, marker="o", markersize=3, linewidth=0.8, alpha=0.6)
            axes.annotate(str(place), points[-1], xytext=(3, 3), textcoords="offset points", fontsize=8, color=colour)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("seconds of work, beyond the full model and its images")
    axes.set_ylabel(scale)
    names = [("of subsets' models, with more and more of them", ACCENT), ("of gradients or similarities", SOFT)]
    for name, colour in names:
        axes.plot([], [], color=colour, marker="o", markersize=3, label=name)
    axes.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1))


def influential(generated: np.ndarray, found: Sequence[np.ndarray], title: str) -> Figure:
    """A line a generated image: the image, and the training images that made it most and least.

    generated: (lines, height, width, channels). found: most and least, (lines, shown, height, width, channels) each.
    """
    parts = [generated[:, None], *found]
    sheets = [grid(part.reshape(-1, *part.shape[2:]), part.shape[1]) for part in parts]
    gap = np.full((len(sheets[0]), generated.shape[2], 3), 255, dtype=np.uint8)
    sheet = np.concatenate([sheets[0], gap, sheets[1], gap, sheets[2]], axis=1)
    figure, axes = plt.subplots(figsize=(9, 0.6 + 9 * sheet.shape[0] / sheet.shape[1]))
    axes.imshow(sheet)
    at = np.cumsum([0, *(part.shape[1] + gap.shape[1] for part in sheets[:2])])
    for left, label in zip(at, ("image", "most", "least"), strict=True):
        axes.text(left, -0.02 * len(sheet), label, fontsize=9)
    axes.axis("off")
    axes.set_title(title, loc="left", fontsize=10, pad=24)
    return figure


def local_lds(rows: Sequence[Sequence[Any]], title: str) -> Figure:
    """LDS of every method, a panel a set of images; rows: of a local study's lds.csv."""
    panels = {
        f"{of} images: LDS, mean over them": [(row[1], *row[5:8]) for row in rows if row[0] == of and row[5] != ""]
        for of in dict.fromkeys(row[0] for row in rows)
    }
    return _intervals(panels, title)


def regeneration(rows: Sequence[Sequence[Any]], title: str) -> Figure:
    """Change beyond that of random removal by every other way, a panel a measure; rows: of regeneration.csv."""
    panels = {
        f"{measure.replace('_', ' ')} to the original,\nbeyond random removal": [
            (row[0], *row[6:9]) for row in rows if row[1] == measure and row[6] != ""
        ]
        for measure in dict.fromkeys(row[1] for row in rows)
    }
    return _intervals(panels, title)


def lds_intervals(rows: Sequence[Sequence[Any]]) -> Figure:
    """LDS of every predictor that has one, a panel an alpha; rows: of lds.csv."""
    scored = [row for row in rows if row[4] != ""]
    panels = {
        f"LDS at alpha {alpha}": [(row[1], *row[4:7]) for row in scored if row[0] == alpha]
        for alpha in dict.fromkeys(row[0] for row in scored)
    }
    return _intervals(panels or {"no LDS is estimable": []}, "")


def _intervals(panels: dict[str, list[tuple[str, Any, Any, Any]]], title: str) -> Figure:
    """Panels beside each other: label -> name, value and ends of its interval (empty: none), a line a name."""
    names = list(dict.fromkeys(row[0] for rows in panels.values() for row in rows))
    size = min(9, 3 + 3 * len(panels)), 0.9 + 0.3 * len(names)
    figure, all_axes = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False)
    for axes, (label, rows) in zip(all_axes[0], panels.items(), strict=True):
        for name, value, low, high in rows:
            place, colour = names.index(name), INK if name == "noise_floor" else ACCENT
            if low != "":
                axes.plot([low, high], [place, place], color=colour, linewidth=1.2)
            axes.plot(value, place, "o", color=colour, markersize=4)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_xlabel(f"{label} (95% interval)")
    all_axes[0][0].set_yticks(range(len(names)), names)
    all_axes[0][0].invert_yaxis()
    figure.suptitle(title, x=0.07, ha="left", fontsize=10)
    figure.tight_layout()
    return figure


def contact_sheet(groups: Sequence[tuple[str, np.ndarray]], rows: int = 4) -> Figure:
    """Groups of images (title, uint8 (images, height, width, channels)) below each other, each a grid."""
    columns = min(24, max(6, 768 // groups[0][1].shape[2]))  # of the largest images a few that can be made out
    sheets = [grid(pixels[: columns * rows], columns) for _, pixels in groups]
    heights = [8 * sheet.shape[0] / sheet.shape[1] for sheet in sheets]
    figure, all_axes = plt.subplots(
        len(groups), 1, figsize=(8, sum(heights) + 0.4 * len(groups)), squeeze=False, height_ratios=heights
    )
    for axes, (title, _), sheet in zip(all_axes[:, 0], groups, sheets, strict=True):
        axes.imshow(sheet)
        axes.set_title(title, loc="left")
        axes.axis("off")
    return figure


def grid(pixels: np.ndarray, columns: int) -> np.ndarray:
    """Images as one picture on white, with a mid-grey gap between them: (height, width, 3) uint8."""
    count, height, width, _ = pixels.shape
    gap = max(1, min(8, height // 8))
    lines = -(-count // columns)
    sheet = np.full((lines * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, dtype=np.uint8)
    for i, image in enumerate(pixels):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[max(0, top - gap) : top + height + gap, max(0, left - gap) : left + width + gap] = 128
        sheet[top : top + height, left : left + width] = image
    return sheet
