"""Independent draws: size from the Shapley kernel, uniform within the size.

Source: ICLR 2025 'An Efficient Framework for Crediting Data Contributors of Diffusion Models', the sampling of
its Shapley estimator.
"""

import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np

from diffusion_credit.base.seeds import generator
from diffusion_credit.subsets.frame import Frame, choice, shapley_sizes, unreserved


def stream(frame: Frame) -> Iterator[np.ndarray]:
    for index in itertools.count():
        rng = generator(frame.seed, "design", index)
        size = int(rng.choice(np.arange(1, frame.n), p=shapley_sizes(frame.n)))
        yield from unreserved(frame, partial(choice, rng, frame.n, size))
