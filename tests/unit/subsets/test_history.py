"""Held-out subsets when contributors leave and join: what stays, what is drawn anew, and that all are as likely."""

from itertools import combinations, islice
from math import comb

import numpy as np
import pytest

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.tables import Subsets
from diffusion_credit.subsets.design import assert_disjoint, held_out, sampled, tuning
from diffusion_credit.subsets.draws import DESIGNS
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.held_out import reserve
from diffusion_credit.subsets.history import History

FIXED = ("leave-one-out", "add-one-in", "all")  # designs that need subsets of their own
NAMES = list("ABCDEFGHIJKL")
LEFT, JOINED = {"left": ["C"], "joined": []}, {"left": [], "joined": ["Bo", "Z"]}
CHANGES = {
    "one left": [LEFT],
    "two joined": [JOINED],
    "left, then joined": [LEFT, JOINED],
    "left and came back": [LEFT, {"left": [], "joined": ["C"]}],
    "replaced": [{"left": ["C"], "joined": ["Z"]}],
}


def after(what: str, names: list[str] = NAMES) -> History:
    """What a change makes of the contributors."""
    found = {*names}
    for change in CHANGES[what]:
        found = found - {*change["left"]} | {*change["joined"]}
    return History.of(sorted(found), CHANGES[what])


def share_that_stays(history: History, size: int) -> float:
    """The chance that nobody of a row left, and that a draw has nobody who joined, at each change."""
    share = 1.0
    for before, now in zip(history.stages, history.stages[1:], strict=False):
        share *= comb(len({*before} & {*now}), size) / comb(len(before), size)
        share *= comb(len({*before} & {*now}), size) / comb(len(now), size)
    return share


def rows_of(history: History, seed: int, subsets: int = 12) -> Subsets:
    (size,), reserved = _reserve(history, seed, subsets)
    return held_out(history, seed, size, subsets, 2, reserved)


def _reserve(history: History, seed: int, subsets: int):  # type: ignore[no-untyped-def]
    sizes, reserved = reserve(history, [0.5], subsets, seed)
    return sizes.values(), reserved


def named(table: Subsets) -> list[frozenset[str]]:
    return [frozenset(np.array(table.contributors)[row]) for row in table.members]


@pytest.mark.parametrize("what", CHANGES)
def test_rows_change_only_for_somebody_who_left_or_joined(what: str) -> None:
    history = after(what)
    names, stayed = {*history.stages[-1]}, 0
    for seed in range(20):
        before, now = rows_of(History([NAMES]), seed), rows_of(history, seed)
        assert (now.contributors, now.subset, now.seed) == (history.stages[-1], before.subset, before.seed)
        assert set(now.members.sum(axis=1)) == {6}  # the size of the beginning
        assert len(set(named(now))) == 12
        pairs = list(zip(named(before), named(now), strict=True))
        assert pairs[::2] == pairs[1::2]  # two training seeds of each
        assert all(new <= names for _, new in pairs)
        stayed += sum(old == new for old, new in pairs[::2])
        # a longer list begins with the shorter
        assert named(rows_of(history, seed, 14))[:24] == named(now)
    share = share_that_stays(history, 6)
    assert abs(stayed / 240 - share) < 3 * np.sqrt(share * (1 - share) / 240)


def test_a_change_composes_with_those_before() -> None:
    """What was drawn for the first change stays at the second, if nobody of it left and nobody who joined is drawn."""
    stayed, rows = 0, 0
    for seed in range(20):
        first, second = (named(rows_of(after(what), seed))[::2] for what in ("one left", "left, then joined"))
        stayed += sum(new == old for old, new in zip(first, second, strict=True))
        rows += len(first)
    share = comb(11, 6) / comb(13, 6)
    assert abs(stayed / rows - share) < 3 * np.sqrt(share * (1 - share) / rows)


@pytest.mark.parametrize("what", CHANGES)
def test_every_subset_is_as_likely_as_every_other(what: str) -> None:
    history, seeds = after(what, NAMES[:8]), 1500
    names = history.stages[-1]
    counts = dict.fromkeys(map(frozenset, combinations(names, 4)), 0)
    for seed in range(seeds):
        (size,), reserved = _reserve(history, seed, 4)
        for row in named(held_out(history, seed, size, 4, 1, reserved)):
            counts[row] += 1
    expected = 4 * seeds / comb(len(names), 4)
    statistic = sum((count - expected) ** 2 / expected for count in counts.values())
    degrees = len(counts) - 1
    assert statistic < degrees + 4 * np.sqrt(2 * degrees)


@pytest.mark.parametrize("what", CHANGES)
def test_no_design_meets_them_at_any_time(what: str) -> None:
    history = after(what)
    names = history.stages[-1]
    for seed in range(3):
        _, reserved = _reserve(history, seed, 12)
        held, avoided = rows_of(history, seed), history.avoided(reserved, [6])
        frame = Frame(len(names), seed, avoided, groups=[i % 2 for i in range(len(names))])
        for kind in set(DESIGNS) - {*FIXED, "owen", "permutation"}:
            assert_disjoint(sampled(names, kind, 400, frame).members, held.members)
        assert_disjoint(tuning(names, seed, 6, 12, avoided).members, held.members)
        pairs = sampled(names, "paired-stratified", 40, frame).members
        assert (pairs[0::2] == ~pairs[1::2]).all()


@pytest.mark.parametrize("what", CHANGES)
def test_designs_miss_nothing_of_other_sizes(what: str) -> None:
    """Whoever joined is in as many subsets of each other size as everybody else, and leave-one-out has all."""
    history = after(what)
    names = history.stages[-1]
    n = len(names)
    _, reserved = _reserve(history, 0, 12)
    avoided = history.avoided(reserved, [6])
    for size in range(n + 1):
        rows = [np.isin(range(n), chosen) for chosen in combinations(range(n), size)]
        share = sum(row in avoided for row in rows) / len(rows)
        if size not in (6, n - 6):
            assert share == 0
        else:  # a half; three quarters where either of a pair may be held out; four standard deviations
            expected = 0.75 if 2 * size == n and len(history.stages) > 1 and what != "left and came back" else 0.5
            assert abs(share - expected) < 4 * np.sqrt(0.25 / len(rows)) + 0.01
    frame = Frame(n, 0, avoided)
    for kind in ("leave-one-out", "add-one-in"):
        assert sampled(names, kind, n, frame).members.sum() in (n, n * (n - 1))


def test_changes_that_do_not_lead_to_the_contributors_are_refused() -> None:
    for changes, sentence in (
        ([{"left": ["B"], "joined": []}], "changes.0.left: found 'B', expected somebody who does not take part"),
        ([{"left": [], "joined": ["Q"]}], "changes.0.joined: found 'Q', expected somebody who takes part after that"),
        ([JOINED, {"left": ["Z"], "joined": []}], "changes.0.joined: found 'Bo'"),
    ):
        with pytest.raises(UserError, match=sentence):
            History.of(NAMES, changes)
    with pytest.raises(
        UserError, match="the contributor 'L' before 'K', expected contributors in the order of their names"
    ):
        History.of(NAMES[::-1], [{"left": ["Q"], "joined": []}])


def test_too_few_contributors_or_subsets_are_refused() -> None:
    gone = [{"left": [f"M{i}" for i in range(12)], "joined": []}]
    with pytest.raises(UserError, match="subsets of 12 when the study began, expected less than the 12 contributors"):
        reserve(History.of(NAMES, gone), [0.5], 4, 0)
    history = History.of(list("ABDE"), [LEFT])  # of five, subsets of two; of four there are six, about half reserved
    kept = sum(1 for _ in islice(combinations("ABDE", 2), 6))
    with pytest.raises(UserError, match=r"lds.subsets: found 5, expected at most [1-4], the subsets of 2 of 4"):
        reserve(history, [0.5], kept - 1, 0)
