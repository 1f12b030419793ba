"""An attribution as text, for a terminal."""

import numpy as np

from diffusion_credit.base.names import printable
from diffusion_credit.credit.attribution import Attribution
from diffusion_credit.credit.movement import Movement

LOGARITHM = "values are of the logarithm: one of 0.1 multiplies the property by 1.105"


def print_attribution(result: Attribution) -> None:
    """Best contributor first: rank, name, value, share, and where they are known the interval and the ranks' range."""
    if result.transform[0] == "log":
        print(f"  {LOGARITHM}")
    if result.note[0]:
        print(f"  note: {result.note[0]}")
    known = not np.isnan(result.low).any()
    helpful = _helpful(result)
    width = max(5, min(40, max(len(contributor) for contributor in result.contributor)))
    extra = f"{'95% interval':>24}  {'ranks':>9}  {f'P(top {result.top[0]:.0f})':>10}" if known else ""
    print(f"  {'':>4}  {'':<{width}}  {'value':>12}  {'share':>8}{extra}")
    best, worst = result.shown
    for i in [*best, None, *worst] if worst else best:
        if i is None:
            print(f"  {'…':>4}  {len(result.contributor) - len(best) - len(worst):,} others, only in the table")
            continue
        label = printable(result.contributor[i])[:width]
        share = _number(result.share[i], ".1%") if helpful else "–"
        line = f"  {result.rank[i]:>4.0f}  {label:<{width}}  {result.value[i]:>12.5g}  {share:>8}"
        if known:
            interval = f"[{result.low[i]:.4g}, {result.high[i]:.4g}]"
            ranks = f"{result.rank_low[i]:.0f} to {result.rank_high[i]:.0f}"
            line += f"{interval:>24}  {ranks:>9}  {result.probability_top[i]:>10.0%}"
        print(line)
    print(f"        {'total':<{width}}  {result.value.sum():>12.5g}")
    if not helpful:
        print("  all contributors together make the property worse, so that nobody has a share")
    if known:
        apart = result.covers_equal_share.count("no")
        print(f"  {apart} of {len(result.order)} contributors differ from an equal share")
        print(f"  values: {result.value_of[0]}; intervals: {result.interval_of[0]}")


def _helpful(result: Attribution) -> bool:
    """Whether all contributors together help, as far as there are shares of what they do."""
    known = np.flatnonzero(result.share)  # the total has the sign of a value by its share
    known = known[~np.isnan(result.share[known])]
    best, worst = result.value[result.order[0]], result.value[result.order[-1]]  # ranks say which way is up
    return best == worst or not len(known) or (result.value[known[0]] * result.share[known[0]] > 0) == (best > worst)


def print_movement(before: Attribution, after: Attribution, found: Movement) -> None:
    """Name, value before and after, how far it moved with its interval, and the shares."""
    if after.transform[0] == "log":
        print(f"  {LOGARITHM}")
    width = max(5, min(40, max(map(len, found.contributor))))
    print(f"  {'':<{width}}  {'before':>10}  {'after':>10}  {'moved':>10}  {'95% interval':>24}  {'share':>16}")
    there, here = set(before.contributor), set(after.contributor)
    helped = _helpful(before), _helpful(after)  # of harm nobody has a share
    for i, name in enumerate(found.contributor):
        interval = "" if np.isnan(found.low[i]) else f"[{found.low[i]:+.4g}, {found.high[i]:+.4g}]"
        moved = "left" if name not in here else "joined" if name not in there else _number(found.moved[i], "+.4g")
        values = f"{_number(found.before[i], '.4g'):>10}  {_number(found.after[i], '.4g'):>10}"
        was, becomes = (
            _number(share[i] if helpful else np.nan, ".1%")
            for share, helpful in ((found.share_before, helped[0]), (found.share_after, helped[1]))
        )
        print(
            f"  {printable(name)[:width]:<{width}}  {values}  {moved:>10}  {interval:>24}  {f'{was} to {becomes}':>16}"
        )
    if not np.isnan(found.low).all():
        print(
            f"  {found.clearly.sum()} of {len(there & here)} who are in both moved by more than the interval; by chance"
        )
        print("  alone, one of 20 would")


def _number(value: float, spelling: str) -> str:
    return "–" if np.isnan(value) else format(value, spelling)
