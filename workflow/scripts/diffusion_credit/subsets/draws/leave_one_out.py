"""Subsets of everyone but one contributor, for each contributor in turn, again and again."""

import itertools
from collections.abc import Iterator

import numpy as np

from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.reserved import subset_of


def stream(frame: Frame) -> Iterator[np.ndarray]:
    return (~subset_of(frame.n, [i]) for i in itertools.cycle(range(frame.n)))
