"""Payouts: sums to the cent, the three rules for who harms, and intervals, against numbers worked out by hand."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from diffusion_credit.base.errors import UserError
from diffusion_credit.credit.attribution import Attribution, credit
from diffusion_credit.credit.estimates import Estimate, Interval
from diffusion_credit.report.payout import HEADER, rows


def attribution(values: list[float], error: float | None = None, higher_is_better: bool = True) -> Attribution:
    n = len(values)
    interval = None
    if error:
        freedom = np.full(n, 1e9)
        interval = Interval(np.array(values), error**2 * np.eye(n), freedom, 0.0, 1e9, 0.0, "unshrunk")
    found = Estimate(np.array(values), "ridge", interval, "" if interval else "interval not estimable")
    return credit([f"c{i}" for i in range(n)], float(np.sum(values)), found, higher_is_better, 1)


def paid(values: list[float], amount: float, negative: str, **more: object) -> list[dict[str, object]]:
    higher = bool(more.pop("higher_is_better", True))
    options = {"amount": amount, "currency": "EUR", "negative": negative}
    found = rows(attribution(values, higher_is_better=higher, **more), options, higher)  # type: ignore[arg-type]
    return [dict(zip(HEADER, row, strict=True)) for row in found]


def amounts(*arguments: object, **more: object) -> list[str]:
    return [str(row["amount"]) for row in paid(*arguments, **more)]  # type: ignore[arg-type]


@pytest.mark.parametrize("negative", ["clip", "keep", "refuse"])
def test_a_thousand_payouts_sum_to_the_cent_and_are_never_a_cent_off(negative: str) -> None:
    """Each payment is its exact share rounded down or up; who harms gets nothing (clip) or owes (keep)."""
    rng = np.random.default_rng(0)
    for _ in range(1000):
        n = int(rng.integers(2, 60))
        values = rng.normal(0.3, 1, n) * 10.0 ** rng.integers(-6, 6)
        if negative == "refuse":
            values = np.abs(values)
        if values.sum() <= 0:
            values = -values
        amount = round(float(10 ** rng.uniform(-2, 9)), 2)
        found = [Decimal(text) for text in amounts(values.tolist(), amount, negative)]
        assert sum(found) == Decimal(str(amount)).quantize(Decimal("0.01"))
        counted = np.maximum(values, 0) if negative == "clip" else values
        whole = sum(map(Fraction, counted.tolist()))
        for value, one in zip(counted.tolist(), found, strict=True):
            exact = Fraction(str(amount)) * Fraction(value) / whole
            assert abs(Fraction(one) - exact) < Fraction(1, 100)
            assert one >= 0 if value >= 0 else one <= 0


def test_the_rules_by_hand() -> None:
    assert amounts([3.0, 2.0, -1.0], 100, "keep") == ["75.00", "50.00", "-25.00"]
    assert amounts([3.0, 2.0, -1.0], 100, "clip") == ["60.00", "40.00", "0.00"]
    with pytest.raises(UserError, match=r"refuse, but 1 of 3 contributors .*'c2'"):
        paid([3.0, 2.0, -1.0], 100, "refuse")
    assert amounts([3.0, 2.0, 0.0], 100, "refuse") == ["60.00", "40.00", "0.00"]
    # three equal parts of a euro: the cent that is left goes to the first
    assert amounts([1.0, 1.0, 1.0], 1, "clip") == ["0.34", "0.33", "0.33"]
    # the cent goes to who loses most by rounding: 33.5, 33.25 and 33.25 cents
    assert amounts([33.25, 33.5, 33.25], 1, "clip") == ["0.33", "0.34", "0.33"]


def test_where_lower_is_better_who_lowers_is_paid() -> None:
    assert amounts([-30.0, -10.0, 20.0], 100, "clip", higher_is_better=False) == ["75.00", "25.00", "0.00"]
    assert amounts([-30.0, -10.0, 20.0], 100, "keep", higher_is_better=False) == ["150.00", "50.00", "-100.00"]


@pytest.mark.parametrize("values", [[-1.0, -2.0], [0.0, 0.0], [1.0, -1.0]])
def test_nothing_to_divide_by(values: list[float]) -> None:
    with pytest.raises(UserError, match="expected a positive sum"):
        paid(values, 100, "keep")
    with pytest.raises(UserError, match="do not help this property"):
        paid([-5.0, 1.0, -2.0], 100, "clip")  # one helps, and all together harm


def test_the_interval_is_paid_by_the_same_rule() -> None:
    """A standard error of 1 is 1.96 either way, of a sum of 10: 19.60 of 100."""
    first, second = paid([8.0, 2.0], 100, "keep", error=1.0)
    assert (first["low"], first["amount"], first["high"]) == ("60.40", "80.00", "99.60")
    assert (second["low"], second["amount"], second["high"]) == ("0.40", "20.00", "39.60")
    for rule in ("clip", "refuse"):  # neither ever pays less than nothing
        _, second = paid([9.0, 1.0], 100, rule, error=1.0)
        assert (second["low"], second["high"]) == ("0.00", "29.60")
    _, second = paid([9.0, 1.0], 100, "keep", error=1.0)
    assert second["low"] == "-9.60"
    worse, _ = paid([-8.0, -2.0], 100, "keep", error=1.0, higher_is_better=False)
    assert (worse["low"], worse["amount"], worse["high"]) == ("60.40", "80.00", "99.60")
    assert [row["covers_equal_amount"] for row in paid([8.0, 2.0], 100, "keep", error=1.0)] == ["no", "no"]
    assert [row["covers_equal_amount"] for row in paid([6.0, 4.0], 100, "keep", error=1.0)] == ["yes", "yes"]
    # an equal part of 11 is 3.67: 1 is far below it, although -8 pulls the mean of the values to 1
    assert [row["covers_equal_amount"] for row in paid([10.0, 1.0, -8.0], 11, "clip", error=0.25)] == ["no"] * 3
    unsure, _ = paid([8.0, 2.0], 100, "keep")
    assert (unsure["low"], unsure["high"], unsure["note"]) == ("", "", "interval not estimable")
