"""Independent draws of the one size alpha * n (arXiv 2202.00622)."""

import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np

from diffusion_credit.base.seeds import generator
from diffusion_credit.subsets.frame import Frame, choice, unreserved


def stream(frame: Frame) -> Iterator[np.ndarray]:
    size = min(max(round(frame.alpha * frame.n), 1), frame.n - 1)
    for index in itertools.count():
        rng = generator(frame.seed, "design", index)
        yield from unreserved(frame, partial(choice, rng, frame.n, size))
