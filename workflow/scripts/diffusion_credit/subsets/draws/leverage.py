"""Complementary pairs with every size equally likely, as leverage scores have it (arXiv 2410.01917)."""

import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np

from diffusion_credit.base.seeds import generator
from diffusion_credit.subsets.frame import Frame, choice, unreserved


def stream(frame: Frame) -> Iterator[np.ndarray]:
    for pair in itertools.count():
        rng = generator(frame.seed, "design", pair)
        size = int(rng.integers(1, frame.n))
        yield from unreserved(frame, partial(_pair, rng, frame.n, size))


def _pair(rng: np.random.Generator, n: int, size: int) -> list[np.ndarray]:
    (members,) = choice(rng, n, size)
    return [members, ~members]
