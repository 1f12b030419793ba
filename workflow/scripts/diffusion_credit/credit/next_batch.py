"""The subsets of an active design: those measured so far, and those to be measured next."""

from collections.abc import Sequence

import numpy as np

from diffusion_credit.base.tables import Subsets
from diffusion_credit.credit.estimators.gaussian_process import process_of
from diffusion_credit.credit.process.choice import choose, uncertainty
from diffusion_credit.credit.semivalues import shapley
from diffusion_credit.credit.utilities import split
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.offers import offers

LEAST = 1e-300  # uncertainty, of values that are known


def chosen(tables: Sequence[Subsets], frame: Frame, count: int) -> np.ndarray:
    """Members (rows so far + count, n) of the list, the next ones being complementary pairs.

    tables: for each property, what was measured of the subsets so far, in the order of the list, and of both ends. All
    properties count alike: each by the share of its uncertainty that a pair takes away. Raises UserError when a table
    does not tell subsets apart, or when all pairs are reserved.
    """
    predecessors = shapley(frame.n)
    games = [split(table, "design: active") for table in tables]
    processes = [process_of(game) for game in games]
    weighed = [(process, 1 / max(uncertainty(process, predecessors), LEAST)) for process in processes]
    members = games[0].members
    pairs = offers(frame, len(members) // count)
    best = choose(weighed, pairs, predecessors, -(-count // 2))
    return np.concatenate([members, pairs[best].reshape(-1, frame.n)[:count]])
