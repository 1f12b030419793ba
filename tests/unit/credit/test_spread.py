"""Where shares are about small subsets: spreads by hand, and a sentence only where one is due."""

from itertools import product

import numpy as np
import pytest

from diffusion_credit.credit import spread
from diffusion_credit.credit.utilities import Utilities

N = 8
PROPER = np.array([row for row in product([False, True], repeat=N) if 0 < sum(row) < N])
SIZE = PROPER.sum(axis=1)


def game(value: np.ndarray, transform: str = "none") -> Utilities:
    names = [f"c{i}" for i in range(N)]
    return Utilities(names, PROPER, value, np.ones(2), np.ones(2), transform)  # type: ignore[arg-type]


def test_spreads_are_those_within_a_size() -> None:
    """Sizes 1 and 2 count as few, 6 and 7 as many; the level of a size, however different, is no spread."""
    noise = np.random.default_rng(0).normal(size=len(PROPER))
    value = 100.0 * SIZE + noise * np.where(SIZE <= 2, 3.0, 1.0)
    for (found, freedom), sizes in zip(spread.spreads(game(value)), ((1, 2), (6, 7)), strict=True):
        parts = [value[size == SIZE] for size in sizes]
        expected = sum(((part - part.mean()) ** 2).sum() for part in parts) / (8 + 28 - 2)
        assert found == pytest.approx(np.sqrt(expected))
        assert freedom == 8 + 28 - 2


def test_replicates_of_a_subset_are_one() -> None:
    value = np.random.default_rng(1).normal(size=len(PROPER))
    names = [f"c{i}" for i in range(N)]
    twice = Utilities(names, np.tile(PROPER, (2, 1)), np.append(value + 1, value - 1), np.ones(2), np.ones(2))
    for once, again in zip(spread.spreads(game(value)), spread.spreads(twice), strict=True):
        assert again == pytest.approx(once)


def test_a_fall_of_more_than_five_is_said_and_the_scale_named_where_it_helps() -> None:
    normal = np.random.default_rng(2).normal(size=len(PROPER))
    even, steep = np.exp(0.1 * normal), np.exp(0.1 * normal - SIZE)  # of the same spread on the logarithm
    assert spread.warning(game(even)) == ""
    said = spread.warning(game(steep))
    (few, _), (many, _) = spread.spreads(game(steep))
    assert f"{few / many:.0f} times less: shares are mostly about small subsets" in said
    assert "transform: log" in said
    assert spread.warning(game(np.log(steep), "log")) == ""
    # a spread that falls on the logarithm as well, and one of values that have none
    falling = 10 + normal * np.where(SIZE <= 2, 1.0, 0.1)
    assert "transform" not in spread.warning(game(falling)) != ""
    assert "transform" not in spread.warning(game(falling - 10)) != ""
    assert spread.rows(game(steep))[1][-1] == said


def test_too_few_subsets_say_nothing() -> None:
    few = np.isin(SIZE, (1, 7))
    rows = np.flatnonzero(few)[[0, 1, 2, -1, -2, -3]]
    names = [f"c{i}" for i in range(N)]
    value = np.array([1.0, 100.0, 50.0, 1.0, 1.1, 1.2])
    sparse = Utilities(names, PROPER[rows], value, np.ones(2), np.ones(2))
    assert spread.warning(sparse) == ""
