"""Random projection of gradients by a sparse matrix of signs that is never held: a few numbers a column, drawn anew.

Source: Kane and Nelson, Sparser Johnson-Lindenstrauss Transforms, doi 10.1145/2559902 (the block construction). Inner
products keep their expectation, with a variance of about 2 / dimension at unit length, as those of a dense normal
matrix do, at NONZEROS / dimension of its cost. What is drawn stays at hand, 4 NONZEROS bytes a column.
"""

from collections.abc import Iterable
from functools import cache

import numpy as np
import torch

from diffusion_credit.base.seeds import generator

NONZEROS = 4  # of every column; `dimension` is a multiple of it
CHUNK = 1 << 18  # columns drawn at once


def project(blocks: Iterable[torch.Tensor], dimension: int | None, seed: int) -> torch.Tensor:
    """Rows that are given in blocks of columns, (rows, any number) each: (rows, dimension), on the blocks' device.

    dimension: a multiple of NONZEROS, or None to join the blocks as they are. The matrix depends on the seed and on the
    blocks' widths alone, not on rows, device or how often this is called.
    """
    if dimension is None:
        return torch.cat(list(blocks), dim=1)
    part = dimension // NONZEROS
    result: torch.Tensor | None = None
    for number, block in enumerate(blocks):
        if result is None:
            result = block.new_zeros(dimension, len(block))
        for start in range(0, block.shape[1], CHUNK):
            columns = block[:, start : start + CHUNK].T
            drawn = _draws(seed, number, start, part, len(columns), str(block.device))
            for at in range(NONZEROS):  # each in a part of its own, so that no two meet
                sign = 1 - 2 * (drawn[at] & 1)
                result.index_add_(0, at * part + (drawn[at] >> 1), columns * sign[:, None])
    assert result is not None
    return result.T.contiguous() / NONZEROS**0.5


@cache
def _draws(seed: int, block: int, start: int, part: int, columns: int, device: str) -> torch.Tensor:
    """NONZEROS draws for each column. A draw is twice a place below `part`, plus one where the sign is negative."""
    drawn = generator(seed, "projection", block, start).integers(2 * part, size=(NONZEROS, columns), dtype=np.int32)
    return torch.from_numpy(drawn).to(device)
