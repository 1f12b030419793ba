"""Complementary pairs, every contributor in or out with equal chance: Banzhaf values."""

import itertools
from collections.abc import Iterator

import numpy as np

from diffusion_credit.base.seeds import generator
from diffusion_credit.subsets.frame import Frame, unreserved


def stream(frame: Frame) -> Iterator[np.ndarray]:
    for pair in itertools.count():
        rng = generator(frame.seed, "design", pair)

        def draw(rng: np.random.Generator = rng) -> list[np.ndarray]:
            members = rng.random(frame.n) < 0.5
            return [members, ~members] if 0 < members.sum() < frame.n else draw()

        yield from unreserved(frame, draw)
