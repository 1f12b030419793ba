"""What differs between the params that a result was made with and those of now, in words."""

import ast
import re
from collections.abc import Iterator
from typing import Any

DIGEST = re.compile(r"[0-9a-f]{64}")
SHOWN = 3  # differences between two sections that are named
LONGEST = 60  # characters of a value that is named
ABSENT = object()


def literal(text: str) -> Any:
    """A param from how Python writes it; the text itself where that is no literal, such as nan."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def difference(before: list[Any], now: list[Any]) -> str:
    """What differs between the params that a result was made with and those of now.

    Snakemake records no names of params: keys tell of sections, digests of code and raw files, and nothing of others.
    """
    sections, others = [], []
    for side in (before, now):
        sections.append({key: value for part in side if isinstance(part, dict) for key, value in part.items()})
        others.append([part for part in side if not isinstance(part, dict)])
    named = list(_changes(sections[0], sections[1]))
    if any(_is_digest(part) for part in others[0] + others[1]):
        named.append("its code or raw files have changed")
    plain = [[part for part in side if not _is_digest(part)] for side in others]
    if any(plain):
        named.append(_change("an option", *(side[0] if len(side) == 1 else ABSENT for side in plain)))
    more = [f"{len(named) - SHOWN} more changes"] if len(named) > SHOWN else []
    return "; ".join([*named[:SHOWN], *more])


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def _changes(before: dict[str, Any], now: dict[str, Any], within: str = "") -> Iterator[str]:
    for key in dict.fromkeys([*before, *now]):
        old, new = before.get(key, ABSENT), now.get(key, ABSENT)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changes(old, new, f"{within}{key}.")
        elif old != new:
            yield _change(f"{within}{key}", old, new)


def _change(name: str, old: Any, new: Any) -> str:
    texts = [None if value is ABSENT else repr(value) for value in (old, new)]
    if any(text is None or len(text) > LONGEST for text in texts):
        return f"{name} has changed"
    return f"{name} was {texts[0]}, is {texts[1]}"
