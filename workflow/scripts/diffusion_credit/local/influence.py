"""Local attribution: which training images made an image, and how well that predicts what models without them do.

Source: Zheng et al., D-TRAK, arXiv 2311.00500, section 4 (LDS of single images, counterfactual).
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from diffusion_credit.baselines.methods import PairwiseBaseline
from diffusion_credit.evaluation.resampling import spearman, with_interval
from diffusion_credit.local.losses import SETS

INFLUENTIAL = ["generated_image", "end", "rank", "training_image", "source", "score"]
HEADER = [
    "images",
    "method",
    "subsets",
    "replicates",
    "count",
    "lds",
    "low",
    "high",
    "lead",
    "lead_low",
    "lead_high",
    "note",
]


def predictions(members: np.ndarray, parts: Iterable[np.ndarray]) -> np.ndarray:
    """Sums of the scores of each subset's images (subsets, queries), subsets of one size; equal scores sum to zero.

    parts: (some queries, images) after each other.
    """
    weights = members.astype(np.float64)
    # a constant changes no rank of sums of as many scores, but for those that rounding alone would make
    return np.concatenate([weights @ (part.astype(np.float64) - part[:, :1]).T for part in parts], axis=1)


def correlations(predicted: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Spearman's correlation over subsets of each query (queries,); both (subsets, queries); NaN where constant."""
    return spearman(predicted.T, measured.T)


def choose(
    module: PairwiseBaseline,
    options: dict[str, Any],
    sources: dict[str, Any],
    members: np.ndarray,
    losses: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Set -> scores (queries, training images) of the best candidate, and what to report of all.

    The best ranks the tuning subsets best by its sums of scores, on average over images. members: (subsets, n). losses:
    set -> (subsets, replicates, images). More images of a kind lower its loss, hence the sign.
    """
    best: dict[str, np.ndarray] = {}
    chosen, highest = "", -np.inf
    mean: dict[str, float | None] = {}
    about: dict[str, Any] = {}
    for name, parts, report in module.matrix(options, sources, SETS):
        scores = {of: np.concatenate([part.astype(np.float32) for part in each]) for of, each in parts.items()}
        found = [correlations(predictions(members, [scores[of]]), -losses[of].mean(axis=1)) for of in SETS]
        every = np.concatenate(found)
        value = float(np.nanmean(every)) if not np.isnan(every).all() else -np.inf
        mean[name], about[name] = (None if value == -np.inf else value), report
        if not best or value > highest:
            best, chosen, highest = scores, name, value
    return best, {"chosen": chosen, "tuning_lds": mean, "candidates": about}


def rows(
    members: np.ndarray, losses: dict[str, np.ndarray], scores: dict[str, dict[str, np.ndarray]], seed: int
) -> list[list[Any]]:
    """Rows of lds.csv: for each set and method the LDS, averaged over images; lead: over the first method.

    scores: method -> set -> (images, n). The interval is a bootstrap over subsets, all images together. The noise
    floor is the correlation between single retrainings.
    """
    found: list[list[Any]] = []
    for of, values in losses.items():
        count, replicates, images = values.shape
        measured = -values.mean(axis=1)
        predicted = {name: predictions(members, [sets[of]]) for name, sets in scores.items()}
        first = next(iter(predicted))
        for name, each in predicted.items():
            fields = with_interval(partial(_mean, each, measured), count, seed)
            lead: Sequence[Any] = ["", "", ""]
            if name != first:
                lead = with_interval(partial(_lead, each, predicted[first], measured), count, seed)[:3]
            found.append([of, name, count, replicates, images, *fields[:3], *lead, fields[3]])
        floor: Sequence[Any] = ("", "", "", "not estimable: one seed")
        if replicates > 1:
            floor = with_interval(partial(_mean, -values[:, 0], -values[:, 1]), count, seed)
        found.append([of, "noise_floor", count, replicates, images, *floor[:3], "", "", "", floor[3]])
    return found


def _mean(predicted: np.ndarray, measured: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    return np.array([np.nanmean(correlations(predicted[drawn], measured[drawn])) for drawn in subsets])


def _lead(one: np.ndarray, other: np.ndarray, measured: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    return _mean(one, measured, subsets) - _mean(other, measured, subsets)


def ends(scores: np.ndarray, shown: int) -> tuple[np.ndarray, np.ndarray]:
    """Training images of the highest and of the lowest scores (queries, shown) each, the outermost first."""
    order = np.argsort(-scores, axis=1, kind="stable")
    return order[:, :shown], order[:, ::-1][:, :shown]


def influential(
    scores: np.ndarray, found: tuple[np.ndarray, np.ndarray], contributors: Sequence[str], source: Sequence[str]
) -> list[list[Any]]:
    """Rows of influential.csv. found: what `ends` gives."""
    return [
        [query, end, rank, contributors[image], source[image], float(scores[query, image])]
        for end, images in zip(("most", "least"), found, strict=True)
        for query, row in enumerate(images)
        for rank, image in enumerate(row, start=1)
    ]
