"""Training without the images that made a generated image, and that image drawn again from its noise: does it change?

Source: Zheng et al., D-TRAK, arXiv 2311.00500, section 4 (counterfactual).
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.base.seeds import generator
from diffusion_credit.base.tables import RANDOM
from diffusion_credit.baselines.gradient_arrays import GENERATED
from diffusion_credit.evaluation.resampling import with_interval
from diffusion_credit.measuring.features import read_arrays

CHANGES = [
    "removed_by",
    "measure",
    "images",
    "mean",
    "low",
    "high",
    "beyond_random",
    "beyond_low",
    "beyond_high",
    "note",
]


def best_removed(scores: Path | None, n: int, seed: int, images: int, removed: int) -> np.ndarray:
    """Members (images, n) of models without the `removed` best training images of each of the first generated ones.

    scores: the file of a method's, or None: then chance decides.
    """
    members = np.ones((images, n), dtype=bool)
    if scores is not None:
        ranked = np.argsort(-read_arrays(scores)[GENERATED][:images], axis=1, kind="stable")
    else:
        ranked = np.stack([generator(seed, "removed", image).permutation(n) for image in range(images)])
    np.put_along_axis(members, ranked[:, :removed], False, axis=1)
    return members


def image_of(entry: str) -> int:
    """The generated image that a model of `without_images` is to draw again."""
    return int(entry.removeprefix("image").split("-")[0])


def changes(
    original: np.ndarray, found: np.ndarray, embedded: np.ndarray, features: np.ndarray
) -> dict[str, np.ndarray]:
    """How much each image changed, as arrays (images,): Euclidean distance of pixels in [0, 1], cosine of features."""
    gap = (original.astype(np.float64) - found) / 255
    a, b = (
        x / np.linalg.norm(x, axis=1, keepdims=True) for x in (embedded.astype(np.float64), features.astype(np.float64))
    )
    return {"pixel_distance": np.sqrt((gap**2).sum(axis=(1, 2, 3))), "cosine": (a * b).sum(axis=1)}


def change_table(found: dict[str, dict[str, np.ndarray]]) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of regenerated.csv: every image's changes by every method."""
    measures = list(next(iter(found.values())))
    rows = [
        [name, image, *(float(each[measure][image]) for measure in measures)]
        for name, each in found.items()
        for image in range(len(each[measures[0]]))
    ]
    return ["removed_by", "image", *measures], rows


def change_rows(found: dict[str, dict[str, np.ndarray]], seed: int) -> list[list[Any]]:
    """Rows of regeneration.csv: means over images, and their difference to random removal, on the same images."""
    out: list[list[Any]] = []
    for name, each in found.items():
        for measure, values in each.items():
            chance = found[RANDOM][measure]
            mean = with_interval(partial(_average, values), len(values), seed)
            gap = (
                with_interval(partial(_average, values - chance), len(values), seed)
                if name != RANDOM
                else ["", "", "", ""]
            )
            out.append([name, measure, len(values), *mean[:3], *gap[:3], mean[3]])
    return out


def _average(values: np.ndarray, images: np.ndarray) -> np.ndarray:
    return values[images].mean(axis=-1)
