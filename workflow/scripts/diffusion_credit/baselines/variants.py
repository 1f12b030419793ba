"""From scores of single training images to contributors: the variants of a baseline."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.tables import read_csv, write_csv
from diffusion_credit.baselines.methods import Baseline, ModelBaseline, OwnBaseline, PairwiseBaseline

Variants = dict[str, tuple[np.ndarray, dict[str, Any]]]  # name -> values of the contributors, what to report of it


def variants(module: Baseline, options: dict[str, Any], sources: dict[str, Any], owner: np.ndarray, n: int) -> Variants:
    """A baseline's values of n contributors, in every way to reduce it. owner: (images,) of the training images."""
    if module.Options.scores == "images":
        scores = cast(OwnBaseline, module).own(options, sources)
        return {how: (reduced(how, scores, owner, n), {}) for how in ("mean", "max", "sum")}
    if module.Options.scores == "contributors":
        scores = cast(ModelBaseline, module).differences(sources["full"], sources["without"])
        over = {"mean": scores.mean(axis=0), "max": scores.max(axis=0)}
        return {f"{how} over generated images": (values, {}) for how, values in over.items()}
    found: Variants = {}
    for name, parts, about in cast(PairwiseBaseline, module).matrix(options, sources, ["generated"]):
        for how, values in by_contributor(parts["generated"], owner, n).items():
            found[", ".join(part for part in (how, name) if part)] = values, about
    return found


def reduced(how: str, scores: np.ndarray, owner: np.ndarray, contributors: int) -> np.ndarray:
    """Sum, mean or max of the scores (images,) of each contributor's images: (contributors,)."""
    if how == "max":
        highest = np.full(contributors, -np.inf)
        np.maximum.at(highest, owner, scores)
        return highest
    total = np.bincount(owner, weights=scores, minlength=contributors)
    return total / np.bincount(owner, minlength=contributors) if how == "mean" else total


def by_contributor(chunks: Iterable[np.ndarray], owner: np.ndarray, contributors: int) -> dict[str, np.ndarray]:
    """Contributors' values (contributors,) from scores for generated images, (some, training images) after each other.

    Average or maximum over generated images, then sum or average over each contributor's training images.
    """
    total, highest, count = np.zeros(len(owner)), np.full(len(owner), -np.inf), 0
    for chunk in chunks:
        total += chunk.sum(axis=0)
        np.maximum(highest, chunk.max(axis=0), out=highest)
        count += len(chunk)
    over = {"mean": total / count, "max": highest}
    return {
        f"{name} over generated images, {how}": reduced(how, scores, owner, contributors)
        for name, scores in over.items()
        for how in ("sum", "mean")
    }


def write_variants(path: Path, contributors: list[str], variants: Variants) -> None:
    """One row a contributor, one column a variant."""
    columns = [values for values, _ in variants.values()]
    write_csv(path, ["contributor", *variants], zip(contributors, *columns, strict=True))


def read_variants(path: Path) -> dict[str, np.ndarray]:
    """Name -> values (contributors,). Raises UserError on what is no such table."""
    header, rows = read_csv(path)
    try:
        values = np.array([[float(cell) for cell in row[1:]] for row in rows])
    except ValueError as error:
        raise UserError(f"{path}: found something that is not a number ({error})") from None
    return dict(zip(header[1:], values.T, strict=True))
