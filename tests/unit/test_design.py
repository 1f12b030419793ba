"""The design: prefixes, the kernel's sizes, and held-out subsets that stay held out."""

from itertools import combinations
from math import comb

import numpy as np
import pytest

from diffusion_credit.design import (
    Reserved,
    assert_disjoint,
    counterfactual,
    held_out,
    held_out_size,
    held_out_sizes,
    sampled,
    shapley_sizes,
    top_count,
)
from diffusion_credit.errors import UserError

NAMES = [f"c{i}" for i in range(10)]


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_a_longer_design_begins_with_the_shorter_one(seed: int) -> None:
    reserved = Reserved(10, [5], seed)
    short, long = (sampled(NAMES, seed, "paper", m, reserved) for m in (40, 160))
    head = long.rows(range(40))
    assert (head.members == short.members).all()
    assert (head.subset, head.replicate, head.seed) == (short.subset, short.replicate, short.seed)
    few, many = (held_out(NAMES, seed, 5, k, 2, reserved) for k in (8, 24))
    assert (many.members[:16] == few.members).all()
    assert many.seed[:16] == few.seed


def test_sizes_follow_the_shapley_kernel() -> None:
    # n = 4: 3/(1*3), 3/(2*2), 3/(3*1) = 1, 3/4, 1, of 11/4
    assert shapley_sizes(4) == pytest.approx([4 / 11, 3 / 11, 4 / 11])
    table = sampled(NAMES, 3, "paper", 4000, Reserved(10, [], 3))
    counts = np.bincount(table.members.sum(axis=1), minlength=11)
    expected = 4000 * shapley_sizes(10)
    assert counts[0] == counts[10] == 0
    # a chi-square of 8 degrees of freedom exceeds 26.1 once in a thousand seeds
    assert ((counts[1:10] - expected) ** 2 / expected).sum() < 26.1
    # uniform within a size: every contributor is in half of all subsets, by symmetry of the kernel
    assert table.members.mean(axis=0) == pytest.approx(np.full(10, 0.5), abs=0.03)


def test_held_out_subsets_never_meet_the_design_however_long_it_is() -> None:
    wanted = {3: 60, 5: 126, 7: 60}
    reserved = Reserved(10, wanted, 0)
    design = sampled(NAMES, 0, "paper", 3000, reserved)
    for size, count in wanted.items():
        table = held_out(NAMES, 0, size, count, 1, reserved)
        assert len({row.tobytes() for row in table.members}) == count
        assert set(table.members.sum(axis=1)) == {size}
        assert_disjoint(design, table)
        # the design still has that size, and only subsets that are not reserved
        assert (design.members.sum(axis=1) == size).any()
    with pytest.raises(ValueError, match="1 held-out"):
        assert_disjoint(design, design.rows([0]))


def test_half_of_a_size_is_reserved() -> None:
    reserved = Reserved(10, [5], 4)
    found = 0
    for chosen in combinations(range(10), 5):
        members = np.zeros(10, dtype=bool)
        members[list(chosen)] = True
        found += members in reserved
    assert found == comb(10, 5) // 2


def test_too_many_subsets_to_list_are_reserved_by_half_of_the_hashes() -> None:
    names = [f"c{i}" for i in range(60)]
    assert comb(60, 30) > 10**17
    reserved = Reserved(60, [30], 0)
    rng = np.random.default_rng(0)
    draws = [np.isin(np.arange(60), rng.choice(60, 30, replace=False)) for _ in range(2000)]
    assert sum(row in reserved for row in draws) == pytest.approx(1000, abs=100)
    assert_disjoint(sampled(names, 0, "paper", 300, reserved), held_out(names, 0, 30, 50, 1, reserved))


def test_sizes_of_held_out_subsets() -> None:
    # ties go towards the middle: C(10, 3) = 120 subsets and not C(10, 2) = 45
    assert [held_out_size(a, 10) for a in (0.25, 0.5, 0.75)] == [3, 5, 7]
    assert [held_out_size(a, 20) for a in (0.25, 0.5, 0.75)] == [5, 10, 15]
    for alphas, subsets in (([0.05], 4), ([0.5, 0.52], 4), ([0.5], 127), ([1.0], 4)):
        with pytest.raises(UserError, match=r"evaluation\.lds"):
            held_out_sizes(alphas, subsets, 10)


def test_counterfactual_subsets_are_the_top_and_the_rest() -> None:
    table = counterfactual(NAMES, 0, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 0.4, 2)
    assert table.subset == ["without_top"] * 2 + ["only_top"] * 2
    assert table.members.astype(int).tolist() == [[1] * 6 + [0] * 4] * 2 + [[0] * 6 + [1] * 4] * 2
    assert len(set(table.seed)) == 4
    for share in (0.01, 0.99):
        with pytest.raises(UserError, match="share"):
            top_count(share, 10)


def test_a_subset_drawn_twice_is_a_new_replicate_with_a_new_seed() -> None:
    table = sampled(["a", "b"], 0, "paper", 20, Reserved(2, [], 0))
    first = [i for i in range(20) if (table.members[i] == table.members[0]).all()]
    assert [table.replicate[i] for i in first] == list(range(len(first)))
    assert len(first) > 1
    assert len(set(table.seed)) == 20
