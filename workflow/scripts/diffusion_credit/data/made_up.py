"""Contributors that studies of the method make up: mixtures of classes, and planted ones whose worth is known.

Every contributor is dealt images by a seed of its own, so that more contributors change nobody else's shares.
"""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import Section
from diffusion_credit.base.seeds import generator

LEVELS = 8  # of 255, by which a pixel of a near copy differs at most from its original


class Mixtures(Section):
    """Contributors that are no classes, but have images of several, of each as many as a draw says."""

    contributors: int = Field(ge=2, description="How many there are.")
    images: int = Field(ge=1, description="Images of each. Nobody has an image of somebody else.")
    concentration: float = Field(
        default=0.5,
        gt=0,
        description="Of the Dirichlet distribution that each contributor's shares of the classes are drawn from: 0.1"
        " gives nearly one class each, 10 nearly equal shares.",
    )
    seed: int = Field(default=0, ge=0, description="Seed of the draw. It is apart from the study's seed.")


class Planted(Section):
    """Contributors whose worth one knows without a model. They are for studies of the method alone."""

    near_copies: list[str] = Field(
        default=[],
        description="Contributors who are copied: for each there is a further one, whose images are theirs,"
        f" each pixel up to {LEVELS} of 255 levels lighter or darker.",
    )
    noise: int = Field(default=0, ge=0, description="How many further contributors have images of random noise.")


def deal(options: Mixtures, label: np.ndarray, classes: Sequence[int], names: Sequence[str]) -> list[np.ndarray]:
    """Numbers of the images that each mixture gets. label: (images,) class of each. classes: that take part.

    names: of all classes, for messages. Raises UserError when a class has too few images for what was drawn.
    """
    pools = {k: generator(options.seed, "images", k).permutation(np.flatnonzero(label == k)) for k in classes}
    used = dict.fromkeys(classes, 0)
    hands = []
    for number in range(options.contributors):
        draw = generator(options.seed, "mixture", number)
        counts = draw.multinomial(options.images, draw.dirichlet([options.concentration] * len(classes)))
        hand = []
        for k, count in zip(classes, counts.tolist(), strict=True):
            hand.append(pools[k][used[k] : used[k] + count])
            used[k] += count
        hands.append(np.concatenate(hand))
    for k in classes:
        if used[k] > len(pools[k]):
            raise UserError(
                f"config: data.mixtures: found {used[k]} images of {names[k]} in the mixtures, expected at most"
                f" {len(pools[k])}, which is how many there are; ask for fewer images or contributors"
            )
    return hands


def near_copies(pixels: np.ndarray, name: str) -> np.ndarray:
    """Copies of (images, height, width, channels) uint8, a few grey levels off."""
    levels = generator(0, "near copies", name).integers(-LEVELS, LEVELS + 1, pixels.shape)
    return np.clip(pixels.astype(np.int64) + levels, 0, 255).astype(np.uint8)


def noise(shape: tuple[int, ...], number: int) -> np.ndarray:
    """Uniform random pixels (images, height, width, channels)."""
    return generator(0, "noise", number).integers(0, 256, shape, dtype=np.uint8)
