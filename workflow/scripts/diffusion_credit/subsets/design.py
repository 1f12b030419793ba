"""Which subsets are evaluated: the sampled design, its anchors, and the held-out subsets that judge it.

Every row is a function of the study's seed and of its own place in the list, so a longer list begins with the
shorter one.
"""

import itertools
import math
from dataclasses import replace

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.seeds import named_seed
from diffusion_credit.base.tables import Subsets, concatenate
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.held_out import distinct, draws, held_out_rows
from diffusion_credit.subsets.history import History, Kept
from diffusion_credit.subsets.reserved import Reserved, subset_of


def sampled(contributors: list[str], kind: str, subsets: int, frame: Frame, key: str = "design") -> Subsets:
    """The first `subsets` rows of a design; a subset that is drawn again counts as a further replicate.

    key: of the config, for messages. Raises UserError when the design needs a subset that is held out.
    """
    members = np.array(list(itertools.islice(module_of("designs", kind).stream(frame), subsets)))
    return listed(contributors, members, frame, kind, key)


def listed(contributors: list[str], members: np.ndarray, frame: Frame, kind: str, key: str = "design") -> Subsets:
    """The rows (subsets, n) of a design as a list, each with its training seed. Raises UserError as `sampled` does."""
    subsets = len(members)
    drawn: dict[bytes, int] = {}
    replicate = []
    for row in members:
        if row in frame.avoided:
            raise UserError(
                f"config: {key}.kind: found {kind}, which needs all subsets of {int(row.sum())} contributors, of which"
                " evaluation.lds.alphas holds out half; expected other alphas or another design"
            )
        drawn[row.tobytes()] = drawn.get(row.tobytes(), -1) + 1
        replicate.append(drawn[row.tobytes()])
    ids = [f"{index:05d}" for index in range(subsets)]
    return _list("sampled", contributors, frame.seed, ids, replicate, members)


def everyone(contributors: list[str], seed: int) -> Subsets:
    """The one subset that the full model and the re-fitted pruned model are trained on."""
    return _list("everyone", contributors, seed, ["everyone"], [0], np.ones((1, len(contributors)), dtype=bool))


def anchors(contributors: list[str], seed: int, replicates: int) -> Subsets:
    """Everyone and no one, each with `replicates` training seeds."""
    n = len(contributors)
    ids = ["everyone"] * replicates + ["empty"] * replicates
    members = np.repeat([[True] * n, [False] * n], replicates, axis=0)
    return _list("anchors", contributors, seed, ids, [*range(replicates)] * 2, members)


def held_out(history: History, seed: int, size: int, subsets: int, replicates: int, reserved: Reserved) -> Subsets:
    """Distinct reserved subsets of one size, each with `replicates` training seeds, subset after subset."""
    found = held_out_rows(history, seed, size, subsets, reserved)
    ids = [f"size{size}-{i:04d}" for i in range(subsets) for _ in range(replicates)]
    members = np.repeat(found, replicates, axis=0)
    return _list("held-out", history.stages[-1], seed, ids, [*range(replicates)] * subsets, members)


def tuning(
    contributors: list[str],
    seed: int,
    size: int,
    subsets: int,
    avoided: Reserved | Kept,
    key: str = "evaluation.tuning.subsets",
) -> Subsets:
    """Distinct subsets of one size from the half that is not reserved: none of them is ever held out."""
    n = len(contributors)
    most = math.comb(n, size) - avoided.count(size)
    if not 0 < size < n or subsets > most:
        raise UserError(
            f"config: {key}: found {subsets}, expected at most {most}, the number of subsets of {size} of"
            f" {n} contributors that are not held out"
        )
    found = distinct((members for members in draws(n, seed, size, "tuning") if members not in avoided), subsets)
    ids = [f"size{size}-{i:04d}" for i in range(subsets)]
    return _list("tuning", contributors, seed, ids, [0] * subsets, found)


COUNTERFACTUALS = ("without_top", "only_top", "without_bottom")


def counterfactual(contributors: list[str], seed: int, order: list[int], share: float, replicates: int) -> Subsets:
    """Without the top `share` of contributors, with only them, and without the bottom share, as COUNTERFACTUALS.

    Each with `replicates` training seeds. order: contributor indices, best first.
    """
    n = len(contributors)
    count = top_count(share, n)
    top, bottom = subset_of(n, order[:count]), subset_of(n, order[-count:])
    ids = [name for name in COUNTERFACTUALS for _ in range(replicates)]
    members = np.repeat([~top, top, ~bottom], replicates, axis=0)
    return _list("counterfactual", contributors, seed, ids, [*range(replicates)] * len(COUNTERFACTUALS), members)


def without_tops(
    contributors: list[str], seed: int, orders: dict[str, list[int]], share: float, replicates: int
) -> Subsets:
    """Without the top of each of several methods, with the seeds of `counterfactual`. orders: method -> best first."""
    rows = {name: counterfactual(contributors, seed, order, share, replicates) for name, order in orders.items()}
    table = concatenate([each.rows(range(replicates)) for each in rows.values()])
    return replace(table, subset=[name for name in rows for _ in range(replicates)])


def without_images(contributors: list[str], seed: int, members: np.ndarray) -> Subsets:
    """A model for each generated image: members (images, n) of its training. The seed is the same for every method."""
    ids = [f"image{image:05d}" for image in range(len(members))]
    return _list("without-images", contributors, seed, ids, [0] * len(members), members)


def top_count(share: float, n: int) -> int:
    """How many contributors the top `share` of n are, ties upwards. Raises UserError when none or all."""
    count = math.floor(share * n + 0.5)
    if not 1 <= count < n:
        raise UserError(
            f"config: evaluation.counterfactual.share: found {share}, which is {count} of {n} contributors,"
            " expected at least one contributor and not all"
        )
    return count


def _list(
    name: str, contributors: list[str], seed: int, ids: list[str], replicate: list[int], members: np.ndarray
) -> Subsets:
    seeds = [named_seed(seed, "train", name, i, r) for i, r in zip(ids, replicate, strict=True)]
    return Subsets(contributors, ids, replicate, seeds, members)


def assert_disjoint(design: np.ndarray, held_out: np.ndarray) -> None:
    """Raises UserError when a row of the held-out members is a row of the design's."""
    common = {row.tobytes() for row in design} & {row.tobytes() for row in held_out}
    if common:
        raise UserError(f"found {len(common)} held-out subset(s) that are also in the design, expected none")
