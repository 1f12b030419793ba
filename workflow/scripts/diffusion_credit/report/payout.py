"""A stated amount divided by credited values, to the cent.

Whoever helps the property is paid in proportion to their value; of a property where lower is better, to the value with
its sign turned. What happens with contributors who harm it the rule says: `keep` (they owe), `clip` (they get nothing,
and the others divide the amount), `refuse` (nobody is paid).
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor, isnan
from typing import Any

from diffusion_credit.base.errors import UserError
from diffusion_credit.credit.attribution import Attribution

CENTS = 100
RULES = ("clip", "keep", "refuse")
HEADER = ["contributor", "share", "amount", "low", "high", "covers_equal_amount", "note"]


def rows(result: Attribution, options: dict[str, Any], higher_is_better: bool) -> list[list[Any]]:
    """Rows of payout.csv, in the contributors' order: a share of the whole, and amounts of money as text.

    options: amount, negative and currency. low, high: the ends of the value's 95% interval, paid by the same rule with
    what everybody's values sum to taken as known, so that they are no interval of the payment; empty where the value's
    is not estimable. covers_equal_amount: whether an equal part lies between them.

    Raises UserError when the rule refuses, or when all contributors together do not help.
    """
    sign = 1 if higher_is_better else -1
    helpful = [sign * Fraction(float(value)) for value in result.value]
    counted, whole = divided(helpful, options["negative"], result.contributor)
    cents = round(Fraction(str(options["amount"])) * CENTS)
    found = []
    for i, paid in enumerate(in_cents(counted, cents)):
        low, high = sorted((sign * result.low[i], sign * result.high[i]))
        ends = ["", "", ""]
        if not isnan(low):
            worth = [cents * _counted(end, options["negative"]) / whole for end in (low, high)]
            equal = worth[0] <= Fraction(cents, len(counted)) <= worth[1]
            ends = [*(_money(round(end)) for end in worth), "yes" if equal else "no"]
        found.append([result.contributor[i], float(counted[i] / whole), _money(paid), *ends, result.note[i]])
    return found


def divided(helpful: Sequence[Fraction], negative: str, names: Sequence[str]) -> tuple[list[Fraction], Fraction]:
    """What counts of each contributor's help by a rule for negative values, and the sum of that. Raises UserError."""
    harmful = [name for name, value in zip(names, helpful, strict=True) if value < 0]
    if harmful and negative == "refuse":
        raise UserError(
            f"config: payout.negative: found refuse, but {len(harmful)} of {len(names)} contributors have a value that"
            f" harms the property (the first is {harmful[0]!r:.60}), expected clip or keep if money is to be paid"
        )
    whole = sum(helpful, Fraction(0))
    if whole <= 0:
        raise UserError(
            f"config: payout: found values that sum to {float(whole):.4g}, counted as help, expected a positive sum:"
            " all contributors together do not help this property (without `payout` the study ends with its report)"
        )
    counted = [max(value, Fraction(0)) for value in helpful] if negative == "clip" else list(helpful)
    return counted, sum(counted, Fraction(0))


def in_cents(counted: Sequence[Fraction], cents: int) -> list[int]:
    """Whole cents in proportion to `counted`, which sum to exactly `cents`.

    Each part is rounded down, and the cents left go one each to the parts that lost most, the first of equals first
    (largest remainders).
    """
    whole = sum(counted, Fraction(0))
    exact = [cents * value / whole for value in counted]
    paid = [floor(value) for value in exact]
    lost = sorted(range(len(exact)), key=lambda i: paid[i] - exact[i])  # stable: the first of equals first
    for i in lost[: cents - sum(paid)]:
        paid[i] += 1
    return paid


def _counted(value: float, negative: str) -> Fraction:
    return Fraction(value if negative == "keep" else max(value, 0.0))


def _money(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // CENTS}.{abs(cents) % CENTS:02d}"
