"""All proper subsets by rising size, again and again."""

import itertools
from collections.abc import Iterator

import numpy as np

from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.reserved import subset_of


def stream(frame: Frame) -> Iterator[np.ndarray]:
    while True:
        for size in range(1, frame.n):
            for chosen in itertools.combinations(range(frame.n), size):
                yield subset_of(frame.n, chosen)
