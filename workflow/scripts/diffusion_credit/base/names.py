"""Names of contributors as people read them, and those that people take for the same one."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

# What is not printed though it counts as a letter or a mark: fillers of Korean, and variants of the letter before
UNSEEN = re.compile("[\u034f\u115f\u1160\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
NAMED = 3  # names that a sentence lists
SHOWN = 5  # groups of such names that a sentence lists


def printable(name: str) -> str:
    """A name in one line: what cannot be printed becomes a blank."""
    return "".join(letter if letter.isprintable() else " " for letter in name)


def listed(names: Sequence[str]) -> str:
    """The first names of some, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(map(printable, names[:NAMED])) + more


def look_alike(names: Iterable[str]) -> str:
    """A sentence about names that look alike, such as `ana` and `ana `; nothing where there are none.

    Alike are those that differ only in case, blanks, hyphens, what is not printed, or in how Unicode writes the same
    letters (Unicode Standard Annex #15).
    """
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        groups.setdefault(_seen(name), []).append(name)
    alike = [each for each in groups.values() if len(each) > 1]
    if not alike:
        return ""
    shown = "; ".join(" and ".join(_told_apart(each)) for each in alike[:SHOWN])
    more = f"; and {len(alike) - SHOWN} more" if len(alike) > SHOWN else ""
    return f"names that look alike are credited as different contributors: {shown}{more}"


def same_letters(name: str) -> str:
    """A name in the one form that all ways of writing its letters in Unicode have."""
    return unicodedata.normalize("NFC", name)


def _seen(name: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    printed = "".join(letter for letter in text if unicodedata.category(letter) not in ("Cf", "Cc") or letter.isspace())
    return re.sub(r"[\s_\-\u2010-\u2015\u2212]+", " ", UNSEEN.sub("", printed)).strip()


def _told_apart(names: list[str]) -> list[str]:
    """Names in quotes, in ASCII where they would be printed alike."""
    same = len({UNSEEN.sub("", same_letters(name)) for name in names}) < len(names)
    return [ascii(name) if same else repr(name) for name in names]
