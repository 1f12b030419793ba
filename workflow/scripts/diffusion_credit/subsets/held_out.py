"""Held-out subsets, which judge values, and how they stay when contributors leave and join.

A study begins with rows that are drawn among its first contributors. After a change, each row is drawn again among
those who take part then. If the new draw has nobody who joined, and the old row nobody who left, the old row stays. So
every row is about as likely as if all were drawn anew (exactly, but for the rounding of half a number of subsets), and
the models of rows that stay are right.
"""

import itertools
import math
from collections.abc import Iterable, Iterator

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.seeds import generator
from diffusion_credit.subsets.history import History, Kept
from diffusion_credit.subsets.reserved import Reserved, reserved_count, subset_of

LDS_KEYS = ("config: evaluation.lds.alphas", "config: evaluation.lds.subsets")


def reserve(
    history: History, alphas: list[float], subsets: int, seed: int, keys: tuple[str, str] = LDS_KEYS
) -> tuple[dict[float, int], Reserved]:
    """Alpha -> size of its held-out subsets, and what is reserved for them among the first contributors.

    The sizes stay those of the first contributors. keys: of alphas and of subsets, for messages. Raises UserError when
    a size is no proper subset at any time, shared by two alphas, or has too few subsets.
    """
    sizes = held_out_sizes(alphas, subsets, len(history.first), keys)
    reserved = Reserved(len(history.first), sizes.values(), seed)
    for stage, contributors in enumerate(history.stages[1:], start=1):
        n, kept = len(contributors), Kept(history, stage, reserved, sizes.values())
        for alpha, size in sizes.items():
            if size >= n:
                raise UserError(
                    f"{keys[0]}: found {alpha}, which gave subsets of {size} when the study began, expected less than"
                    f" the {n} contributors that were left; begin a new study without changes"
                )
            if subsets > (most := kept.count(size, enough=subsets)):
                raise UserError(
                    f"{keys[1]}: found {subsets}, expected at most {most}, the subsets of {size} of {n} contributors"
                    " that are kept from the design"
                )
    return sizes, reserved


def held_out_sizes(alphas: list[float], subsets: int, n: int, keys: tuple[str, str] = LDS_KEYS) -> dict[float, int]:
    """Alpha -> size of its held-out subsets among n contributors.

    keys: of alphas and of subsets, for messages. Raises UserError when a size is no proper subset, shared by
    two alphas, or has too few subsets.
    """
    sizes: dict[float, int] = {}
    for alpha in alphas:
        size = held_out_size(alpha, n)
        if not 0 < alpha < 1 or alpha * n < 1 or size >= n:
            raise UserError(f"{keys[0]}: found {alpha}, expected between 1/{n} and 1 for {n} contributors")
        if size in sizes.values():
            raise UserError(
                f"{keys[0]}: found {alpha}, which gives subsets of {size} like another alpha, expected alphas that give"
                " different sizes"
            )
        if subsets > reserved_count(n, size):
            raise UserError(
                f"{keys[1]}: found {subsets}, expected at most {reserved_count(n, size)}, half of the subsets of"
                f" {size} of {n} contributors; the other half is for the design"
            )
        sizes[alpha] = size
    return sizes


def held_out_size(alpha: float, n: int) -> int:
    """Contributors in a held-out subset: alpha * n, rounded; ties go towards n/2, where there are more subsets."""
    exact = alpha * n
    return math.floor(exact + 0.5) if exact < n / 2 else math.ceil(exact - 0.5)


def held_out_rows(history: History, seed: int, size: int, subsets: int, reserved: Reserved) -> np.ndarray:
    """Distinct reserved subsets of one size among the contributors of now: (subsets, n) bool."""
    drawn = draws(len(history.first), seed, size, "held-out")
    rows = distinct((members for members in drawn if members in reserved), subsets)
    for stage in range(1, len(history.stages)):
        rows = _changed(history, stage, rows, seed, size, reserved)
    return rows


def draws(n: int, seed: int, size: int, *purpose: str | int) -> Iterator[np.ndarray]:
    """Random subsets of one size, in an order that the purpose names."""
    for attempt in itertools.count():
        yield subset_of(n, generator(seed, *purpose, size, attempt).choice(n, size=size, replace=False))


def distinct(drawn: Iterable[np.ndarray], subsets: int) -> np.ndarray:
    """The first different subsets: (subsets, n)."""
    found: dict[bytes, np.ndarray] = {}
    for members in drawn:
        if len(found) == subsets:
            break
        found.setdefault(members.tobytes(), members)
    return np.array(list(found.values()))


def _changed(history: History, stage: int, rows: np.ndarray, seed: int, size: int, reserved: Reserved) -> np.ndarray:
    """The rows of one stage, from those of the stage before."""
    before, now = history.stages[stage - 1 : stage + 1]
    kept, joined = Kept(history, stage, reserved, [size]), ~np.isin(now, before)
    place = {name: i for i, name in enumerate(before)}
    source = [place.get(name, -1) for name in now]
    found: dict[bytes, np.ndarray] = {}
    for number, row in enumerate(rows):
        old = np.where(joined, False, row[source])
        whole = old.sum() == size  # has nobody of it left?
        for drawn in draws(len(now), seed, size, "held-out", "change", stage, number):
            if drawn not in kept:
                continue
            members = old if whole and not drawn[joined].any() else drawn
            if members.tobytes() not in found:
                break
            whole = False
        found[members.tobytes()] = members
    return np.array(list(found.values()))
