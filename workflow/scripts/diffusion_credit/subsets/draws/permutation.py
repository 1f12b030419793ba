"""Chains of n - 1 subsets that grow by one contributor in a random order; every second chain in reverse order."""

import itertools
from collections.abc import Iterator

import numpy as np

from diffusion_credit.base.seeds import generator
from diffusion_credit.subsets.frame import Frame, unreserved
from diffusion_credit.subsets.reserved import subset_of


def stream(frame: Frame) -> Iterator[np.ndarray]:
    for turn in itertools.count():
        rng = generator(frame.seed, "design", turn)

        def draw(rng: np.random.Generator = rng) -> list[np.ndarray]:
            order = rng.permutation(frame.n)
            chain = [subset_of(frame.n, order[:size]) for size in range(1, frame.n)]
            return [*chain, *(~members for members in reversed(chain))]

        yield from unreserved(frame, draw)
