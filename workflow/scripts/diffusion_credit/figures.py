"""Every picture of the workflow. Contributor names are drawn as text, never as mark-up."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from diffusion_credit.attribution import Attribution
from diffusion_credit.files import replacing

INK = "#222222"
# Okabe and Ito's colour-blind-safe set, without black and yellow
COLOURS = ACCENT, SOFT, *_ = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
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
    name = "".join(letter if letter.isprintable() else " " for letter in name)
    return name if len(name) <= length else f"{name[: length - 9]}…{name[-8:]}"


def attribution_bars(result: Attribution, title: str, higher_is_better: bool) -> Figure:
    """A bar a contributor, best first; who helps in one colour, who hurts in the other."""
    order = result.order
    figure, axes = plt.subplots(figsize=(6, 0.7 + 0.26 * len(order)))
    values = result.value[order]
    helps = (values >= 0) == higher_is_better
    axes.barh(range(len(order)), values, color=np.where(helps, ACCENT, SOFT))
    axes.set_yticks(range(len(order)), [shorten(result.contributors[i]) for i in order])
    axes.invert_yaxis()
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.axvline(values.mean(), color=INK, linewidth=0.8, linestyle=":", label="equal shares")
    axes.set_xlabel(f"Shapley value ({'higher' if higher_is_better else 'lower'} is better)")
    axes.set_title(title, loc="left")
    axes.legend(frameon=False, loc="best", fontsize=8)
    return figure


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


def contact_sheet(groups: Sequence[tuple[str, np.ndarray]], columns: int = 24, rows: int = 4) -> Figure:
    """Groups of images (title, uint8 (images, height, width, channels)) below each other, each a grid."""
    sheets = [grid(pixels[: columns * rows], columns) for _, pixels in groups]
    heights = [8 * sheet.shape[0] / sheet.shape[1] for sheet in sheets]
    figure, all_axes = plt.subplots(
        len(groups), 1, figsize=(8, sum(heights) + 0.4 * len(groups)), squeeze=False, height_ratios=heights
    )
    for axes, (title, _), sheet in zip(all_axes[:, 0], groups, sheets, strict=True):
        axes.imshow(sheet, interpolation="nearest")
        axes.set_title(title, loc="left")
        axes.axis("off")
    return figure


def grid(pixels: np.ndarray, columns: int) -> np.ndarray:
    """Images as one picture with a mid-grey gap between them: (height, width, 3) uint8."""
    count, height, width, _ = pixels.shape
    gap = max(1, height // 8)
    lines = -(-count // columns)
    sheet = np.full((lines * (height + gap) - gap, columns * (width + gap) - gap, 3), 128, dtype=np.uint8)
    for i, image in enumerate(pixels):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet
