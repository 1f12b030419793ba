"""What may be measured next, for a choice by what is known already: complementary pairs without reserved subsets."""

import itertools
from dataclasses import replace

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.seeds import named_seed
from diffusion_credit.subsets.draws.paired_stratified import Stratum
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.reserved import subset_of

ALL = 12  # up to so many contributors every pair is offered
POOL = 1_000  # pairs; at most half of them are of one contributor and all others


def offers(frame: Frame, batch: int) -> np.ndarray:
    """Different pairs, each a subset and its complement: (k, 2, n) bool. Raises UserError when all are reserved.

    Beyond ALL contributors, pairs of one contributor and all others, and as many of every other size as of the next:
    a function of the seed and of the number of the batch, so that every batch finds new ones.
    """
    n = frame.n
    if n <= ALL:
        others = (chosen for size in range(1, n) for chosen in itertools.combinations(range(1, n), size))
        pairs = [~subset_of(n, chosen) for chosen in others]  # with the first contributor, so that none comes twice
        found = [members for members in pairs if members not in frame.avoided]
    else:
        few = min(n, POOL // 2)
        sizes = [1] * few + list(np.linspace(2, n // 2, POOL - few).round().astype(int))
        turn = replace(frame, seed=named_seed(frame.seed, "offers", batch))
        different: dict[bytes, np.ndarray] = {}
        for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
            stratum = Stratum(turn, int(size))
            for _ in range(count):
                members = stratum.draw()
                different.setdefault(members.tobytes() if members[0] else (~members).tobytes(), members)
        found = list(different.values())
    if not found:
        raise UserError(
            "config: evaluation.lds.alphas: found sizes of which all subsets are held out, expected sizes that leave"
            " some to the design"
        )
    return np.stack([found, ~np.array(found)], axis=1)
