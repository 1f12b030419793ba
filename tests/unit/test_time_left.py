"""The estimate of a run's end, against cases worked out by hand."""

import pytest

from snakemake_logger_plugin_diffusion_credit.time_left import TimeLeft, in_words


def test_nothing_is_said_while_most_of_what_remains_was_not_seen_yet() -> None:
    left = TimeLeft({"train": 3, "measure": 4})
    assert left.estimate([], 0.0) is None
    left.finished("train", 10.0)
    assert left.estimate([], 10.0) is None  # two of the six that remain
    left.finished("measure", 2.0)
    assert left.estimate([], 12.0) == pytest.approx(2 * 10 + 3 * 2)


def test_jobs_at_once_and_those_at_work_shorten_it() -> None:
    left = TimeLeft({"train": 4})
    left.finished("train", 10.0)
    left.finished("train", 20.0)
    # two remain of 15 s each, one has run for 5; in 20 s two jobs at a time spent 30 + 5 of 40
    assert left.estimate([("train", 5.0)], 20.0) == pytest.approx((2 * 15 - 5) * 20 / 35)
    # one that takes longer than its like owes nothing more
    assert left.estimate([("train", 60.0)], 60.0) == pytest.approx((2 * 15 - 15) * 60 / 90)


def test_a_rule_not_seen_takes_as_long_as_the_median_rule() -> None:
    left = TimeLeft({"a": 3, "b": 2, "c": 2, "new": 1})
    for rule, seconds in (("a", 1.0), ("b", 5.0), ("c", 100.0)):
        left.finished(rule, seconds)
    assert left.estimate([], 106.0) == pytest.approx(2 * 1 + 5 + 100 + 5)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "less than a minute"), (40, "1 min"), (5_940, "99 min"), (6_000, "1 h 40 min"), (90_000, "25 h 0 min")],
)
def test_it_is_said_in_round_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
