"""Every random draw of a study comes from a named seed.

A stream is named by the study's seed and the purpose it serves, so no draw depends on how many others were
made before it, in which order, or by how many workers.
"""

import hashlib

import numpy as np

from diffusion_credit.base.files import canonical_json


def named_seed(seed: int, *purpose: str | int) -> int:
    """A seed below 2**48 (exact in spreadsheets and JSON readers) for this purpose of the study `seed`."""
    digest = hashlib.sha256(canonical_json([seed, *purpose]).encode()).digest()
    return int.from_bytes(digest[:6], "big")


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """A counter-based generator for this purpose: cheap to make, so one a step or an image is fine."""
    return np.random.Generator(np.random.Philox(key=named_seed(seed, *purpose)))


def noise(seed: int, start: int, stop: int, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal float32 noise for images `start` to `stop`: (stop - start, *shape).

    Image i gets the same noise whatever the range it is asked for in.
    """
    draws = [generator(seed, "image", i).standard_normal(shape, dtype=np.float32) for i in range(start, stop)]
    return np.stack(draws)
