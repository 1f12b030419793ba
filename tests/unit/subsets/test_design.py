"""The design: prefixes, the kernel's sizes, and held-out subsets that stay held out."""

from itertools import combinations
from math import comb

import numpy as np
import pytest

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.tables import Subsets
from diffusion_credit.credit.regression import pairs
from diffusion_credit.subsets.design import (
    assert_disjoint,
    counterfactual,
    held_out,
    sampled,
    top_count,
)
from diffusion_credit.subsets.draws import DESIGNS
from diffusion_credit.subsets.frame import Frame, shapley_sizes
from diffusion_credit.subsets.held_out import held_out_size, held_out_sizes
from diffusion_credit.subsets.history import History
from diffusion_credit.subsets.reserved import Reserved, reserved_count

NAMES = [f"c{i}" for i in range(10)]
FIXED = ("leave-one-out", "add-one-in", "all")  # designs that need subsets of their own


def draw(kind: str, subsets: int, seed: int, n: int = 10, held: tuple[int, ...] = (), **options: object) -> Subsets:
    frame = Frame(n, seed, Reserved(n, held, seed), groups=[i * 3 // n for i in range(n)], **options)  # type: ignore[arg-type]
    return sampled([f"c{i}" for i in range(n)], kind, subsets, frame)


@pytest.mark.parametrize("seed", [0, 1, 7])
@pytest.mark.parametrize("n", [7, 20])
@pytest.mark.parametrize("kind", DESIGNS)
def test_a_longer_design_begins_with_the_shorter_one(kind: str, n: int, seed: int) -> None:
    held = () if kind in FIXED else (n // 2,)
    short, long = (draw(kind, m, seed, n, held) for m in (100, 1000))
    head = long.rows(range(100))
    assert (head.members == short.members).all()
    assert (head.subset, head.replicate, head.seed) == (short.subset, short.replicate, short.seed)
    assert len(set(long.seed)) == 1000
    assert not (draw(kind, 100, seed + 1, n, held).members == short.members).all() or kind in FIXED


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_more_held_out_subsets_begin_with_the_fewer(seed: int) -> None:
    reserved = Reserved(10, [5], seed)
    few, many = (held_out(History([NAMES]), seed, 5, k, 2, reserved) for k in (8, 24))
    assert (many.members[:16] == few.members).all()
    assert many.seed[:16] == few.seed


def test_sizes_follow_the_shapley_kernel() -> None:
    # n = 4: 3/(1*3), 3/(2*2), 3/(3*1) = 1, 3/4, 1, of 11/4
    assert shapley_sizes(4) == pytest.approx([4 / 11, 3 / 11, 4 / 11])
    table = draw("paper", 4000, 3)
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
    for kind in set(DESIGNS) - {*FIXED, "owen", "permutation"}:
        design = draw(kind, 1500, 0, held=(3, 5, 7))
        for size, count in wanted.items():
            table = held_out(History([NAMES]), 0, size, count, 1, reserved)
            assert len({row.tobytes() for row in table.members}) == count
            assert set(table.members.sum(axis=1)) == {size}
            assert_disjoint(design.members, table.members)
            # the design still has that size, and only subsets that are not reserved
            assert (design.members.sum(axis=1) == size).any() or kind == "datamodel"
    with pytest.raises(UserError, match="1 held-out"):
        assert_disjoint(design.members, design.members[:1])


@pytest.mark.parametrize(("kind", "size"), [("leave-one-out", 9), ("add-one-in", 1), ("all", 5)])
def test_a_design_that_needs_held_out_subsets_says_so(kind: str, size: int) -> None:
    with pytest.raises(UserError, match=f"found {kind}, which needs all subsets of {size} contributors"):
        draw(kind, 1022, 0, held=(size,))


def test_a_subset_is_reserved_with_its_complement() -> None:
    reserved = Reserved(10, [3, 5], 1)
    for i in range(1, 1023):
        members = np.array([i >> k & 1 for k in range(10)], dtype=bool)
        assert (members in reserved) == (~members in reserved)
    # an odd number of pairs: C(4, 2) / 2 = 3, of which one is reserved
    assert reserved_count(4, 2) == 2
    assert len(held_out(History([NAMES[:4]]), 0, 2, 2, 1, Reserved(4, [2], 0))) == 2


def test_designs_are_what_their_names_say() -> None:
    n = 10
    for kind in ("paired-stratified", "leverage", "uniform", "permutation"):
        table = draw(kind, 180, 2)
        assert len(pairs(table.members)[0]) == 90, kind  # nothing is left without its complement
    sizes = {kind: draw(kind, 2000, 2).members.sum(axis=1) for kind in ("leverage", "uniform", "datamodel")}
    assert np.bincount(sizes["leverage"], minlength=n)[1:] == pytest.approx(np.full(9, 2000 / 9), abs=60)
    assert np.mean(sizes["uniform"]) == pytest.approx(5)
    assert np.var(sizes["uniform"]) == pytest.approx(2.5, rel=0.1)
    assert set(sizes["datamodel"]) == {5}
    assert set(draw("datamodel", 9, 0, alpha=0.3).members.sum(axis=1)) == {3}
    every = draw("all", 1022, 0)
    assert len({row.tobytes() for row in every.members}) == 1022
    assert set(every.replicate) == {0}
    assert (draw("leave-one-out", 20, 0).members == np.tile(~np.eye(n, dtype=bool), (2, 1))).all()
    assert draw("add-one-in", 20, 0).replicate == [0] * 10 + [1] * 10


@pytest.mark.parametrize("n", [2, 3, 4, 10, 21, 50])
def test_paired_stratified_sizes_are_the_kernels_at_every_length(n: int) -> None:
    table = draw("paired-stratified", 600, 5, n)
    sizes = table.members.sum(axis=1)
    for length in (50, 200, 600):
        found = np.bincount(sizes[:length], minlength=n + 1)[1:n]
        # random draws would be off by the root of their number; a golden-ratio sequence by a few
        assert np.abs(found - length * shapley_sizes(n)).max() <= 6
    # nobody comes more often than others: complements make it half for each
    assert (table.members.mean(axis=0) == 0.5).all()


def test_paired_stratified_repeats_a_subset_only_after_all_of_its_size() -> None:
    n = 8
    table = draw("paired-stratified", 1500, 3, n)
    sizes = table.members.sum(axis=1)
    for size in range(1, n):
        _, counts = np.unique(table.members[sizes == size], axis=0, return_counts=True)
        if len(counts) < comb(n, size):
            assert set(counts) == {1}
        else:
            assert counts.max() - counts.min() <= 1 + (2 * size == n)
    held = draw("paired-stratified", 400, 3, n, held=(4,))
    at_four = held.members[held.members.sum(axis=1) == 4]
    assert len(np.unique(at_four, axis=0)) == comb(8, 4) - reserved_count(8, 4)


def test_contributors_within_a_size_are_balanced() -> None:
    n = 30
    table = draw("paired-stratified", 2000, 1, n)
    sizes = table.members.sum(axis=1)
    for size in (1, 2, 5, 10):
        counts = table.members[sizes == size].sum(axis=0)
        assert counts.max() - counts.min() <= 3, size


def test_owens_design_splits_one_group_at_most() -> None:
    groups = np.array([i * 3 // 10 for i in range(10)])
    table = draw("owen", 300, 0)
    split = np.array([[0 < row[groups == g].sum() < (groups == g).sum() for g in range(3)] for row in table.members])
    assert set(split.sum(axis=1)) == {0, 1}
    assert split.any(axis=0).all()


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
    design = sampled(names, "paired-stratified", 300, Frame(60, 0, reserved))
    assert_disjoint(design.members, held_out(History([names]), 0, 30, 50, 1, reserved).members)


def test_sizes_of_held_out_subsets() -> None:
    # ties go towards the middle: C(10, 3) = 120 subsets and not C(10, 2) = 45
    assert [held_out_size(a, 10) for a in (0.25, 0.5, 0.75)] == [3, 5, 7]
    assert [held_out_size(a, 20) for a in (0.25, 0.5, 0.75)] == [5, 10, 15]
    for alphas, subsets in (([0.05], 4), ([0.5, 0.52], 4), ([0.5], 127), ([1.0], 4)):
        with pytest.raises(UserError, match=r"evaluation\.lds"):
            held_out_sizes(alphas, subsets, 10)


def test_counterfactual_subsets_are_the_top_and_the_rest() -> None:
    table = counterfactual(NAMES, 0, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 0.4, 2)
    assert table.subset == ["without_top"] * 2 + ["only_top"] * 2 + ["without_bottom"] * 2
    kept = [[1] * 6 + [0] * 4, [0] * 6 + [1] * 4, [0] * 4 + [1] * 6]  # the best is the last contributor
    assert table.members.astype(int).tolist() == [row for row in kept for _ in range(2)]
    assert len(set(table.seed)) == 6
    for share in (0.01, 0.99):
        with pytest.raises(UserError, match="share"):
            top_count(share, 10)


def test_a_subset_drawn_twice_is_a_new_replicate_with_a_new_seed() -> None:
    table = draw("paper", 20, 0, 2)
    first = [i for i in range(20) if (table.members[i] == table.members[0]).all()]
    assert [table.replicate[i] for i in first] == list(range(len(first)))
    assert len(first) > 1
    assert len(set(table.seed)) == 20
