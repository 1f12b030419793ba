"""An attribution as text, for a terminal."""

import numpy as np

from diffusion_credit.base.names import printable
from diffusion_credit.credit.attribution import Attribution
from diffusion_credit.credit.movement import HEADER, Movement

LOGARITHM = "values are of the logarithm: one of 0.1 multiplies the property by 1.105"


def print_attribution(result: Attribution) -> None:
    """Best contributor first: rank, name, value, share, and where they are known the interval and the ranks' range."""
    if result.transform[0] == "log":
        print(f"  {LOGARITHM}")
    if result.note[0]:
        print(f"  note: {result.note[0]}")
    known = not np.isnan(result.low).any()
    width = max(5, min(40, max(len(contributor) for contributor in result.contributor)))
    extra = f"{'95% interval':>24}  {'ranks':>9}  {f'P(top {result.top[0]:.0f})':>10}" if known else ""
    print(f"  {'':>4}  {'':<{width}}  {'value':>12}  {'share':>8}{extra}")
    best, worst = result.shown
    for i in [*best, None, *worst] if worst else best:
        if i is None:
            print(f"  {'…':>4}  {len(result.contributor) - len(best) - len(worst):,} others, only in the table")
            continue
        label = printable(result.contributor[i])[:width]
        share = "" if np.isnan(result.share[i]) else f"{result.share[i]:.1%}"
        line = f"  {result.rank[i]:>4.0f}  {label:<{width}}  {result.value[i]:>12.5g}  {share:>8}"
        if known:
            interval = f"[{result.low[i]:.4g}, {result.high[i]:.4g}]"
            ranks = f"{result.rank_low[i]:.0f} to {result.rank_high[i]:.0f}"
            line += f"{interval:>24}  {ranks:>9}  {result.probability_top[i]:>10.0%}"
        print(line)
    print(f"        {'total':<{width}}  {result.value.sum():>12.5g}")
    if known:
        apart = result.covers_equal_share.count("no")
        print(f"  {apart} of {len(result.order)} contributors differ from an equal share")
        print(f"  values: {result.value_of[0]}; intervals: {result.interval_of[0]}")


def print_movement(found: Movement, transform: str) -> None:
    """Name, value before and after, how far it moved with its interval, and the shares."""
    if transform == "log":
        print(f"  {LOGARITHM}")
    width = max(5, min(40, max(map(len, found.contributor))))
    print(f"  {'':<{width}}  {'before':>10}  {'after':>10}  {'moved':>10}  {'95% interval':>24}  {'share':>16}")
    for name, before, after, moved, low, high, was, becomes in zip(
        found.contributor,
        *(getattr(found, column).tolist() for column in HEADER[1:]),
        strict=True,
    ):
        interval = "" if np.isnan(low) else f"[{low:+.4g}, {high:+.4g}]"
        gone = "left" if np.isnan(after) else "joined" if np.isnan(before) else f"{moved:+.4g}"
        shares = " to ".join("–" if np.isnan(share) else f"{share:.1%}" for share in (was, becomes))
        numbers = "  ".join(f"{'–' if np.isnan(x) else format(x, '.4g'):>10}" for x in (before, after))
        print(f"  {printable(name)[:width]:<{width}}  {numbers}  {gone:>10}  {interval:>24}  {shares:>16}")
    both = (~np.isnan(found.moved)).sum()
    if not np.isnan(found.low).all():
        print(f"  {len(found.beyond_chance)} of {both} who are in both moved by more than the intervals allow")
