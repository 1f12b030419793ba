"""In turn: a complementary pair of unions of whole groups, and pairs that split one group beside whole others.

Unions come as `paired_stratified` has it among groups. A group of g contributors gets g - 1 pairs a turn: a part
of it and the rest of it, the part by the Shapley kernel, both beside the same other groups, first a random number
of them and then a random choice.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from diffusion_credit.base.seeds import generator
from diffusion_credit.subsets.draws import paired_stratified
from diffusion_credit.subsets.frame import Frame, shapley_sizes, unreserved
from diffusion_credit.subsets.reserved import Reserved, subset_of


def stream(frame: Frame) -> Iterator[np.ndarray]:
    groups = [np.array(frame.groups) == group for group in sorted(set(frame.groups))]
    count = len(groups)
    among = paired_stratified.stream(Frame(count, frame.seed, Reserved(count, (), frame.seed)))

    def union(chosen: np.ndarray) -> np.ndarray:
        return np.any([groups[i] for i in chosen], axis=0) if len(chosen) else np.zeros(frame.n, dtype=bool)

    for turn in itertools.count():
        rng = generator(frame.seed, "design", turn)

        def whole() -> list[np.ndarray]:
            return [union(np.flatnonzero(next(among))) for _ in range(2)]

        if count > 1:
            yield from unreserved(frame, whole)
        for at, group in enumerate(groups):
            inside = np.flatnonzero(group)
            others = np.delete(np.arange(count), at)

            def split(
                rng: np.random.Generator = rng,
                inside: np.ndarray = inside,
                others: np.ndarray = others,
                group: np.ndarray = group,
            ) -> list[np.ndarray]:
                beside = union(rng.permutation(others)[: rng.integers(count)])
                part = subset_of(frame.n, _kernel_choice(rng, inside))
                return [beside | part, beside | (group & ~part)]

            for _ in range(len(inside) - 1):
                yield from unreserved(frame, split)


def _kernel_choice(rng: np.random.Generator, items: np.ndarray) -> np.ndarray:
    """A proper part of the items by the Shapley kernel."""
    size = int(rng.choice(np.arange(1, len(items)), p=shapley_sizes(len(items))))
    return rng.choice(items, size=size, replace=False)
