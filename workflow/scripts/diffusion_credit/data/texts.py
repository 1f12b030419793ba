"""Names and captions that come with images: any text, but never none, and never what UTF-8 cannot hold."""

import json
from pathlib import Path
from typing import Any

from diffusion_credit.base.errors import UserError

LONGEST = 100_000  # letters of a name or a caption; the reader of index.csv takes no more than 131,072


def decoded(raw: bytes, where: str) -> str:
    """Bytes as text, without a byte order mark. Raises UserError where they are not UTF-8."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: found something that is not text in UTF-8 ({error})") from None


def read_text(path: Path) -> str:
    """A whole file as text. Raises UserError where it is missing or not UTF-8."""
    try:
        return decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise UserError(f"{path}: {(error.strerror or 'not readable').lower()}, expected a text file") from None


def json_object(text: str, where: str) -> dict[str, Any]:
    """The keys and values of a JSON object. Raises UserError on anything else."""
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise UserError(f"{where}: found brackets in brackets in brackets, expected JSON") from None
    except ValueError as error:
        raise UserError(f"{where}: found something that is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise UserError(f"{where}: found {_short(found)}, expected a JSON object of keys and values")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError on a key that is there twice, of which json would keep the last without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice")
    return found


def contributor_of(value: object, where: str, key: str) -> str:
    """A contributor's name as it is; whole numbers are names, too. where: the image. key: what holds the name.

    Raises UserError where it is missing, blank, or something else.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(value, "contributor", where, key)


def caption_of(value: object, where: str, key: str) -> str:
    """A caption in one line: lines are joined by a blank, and blanks around them go. Raises as `contributor_of`."""
    lines = _text(value, "caption", where, key).splitlines()
    return " ".join(line.strip() for line in lines if line.strip())


def _text(value: object, what: str, where: str, key: str) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise UserError(f"{where}: found no {what}, expected a text in {key}")
    if not isinstance(value, str):
        raise UserError(f"{where}: found the {what} {_short(value)}, expected a text in {key}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UserError(f"{where}: found the {what} {_short(value)}, which is not Unicode, in {key}") from None
    if len(value) > LONGEST:
        raise UserError(f"{where}: found a {what} of {len(value)} letters, expected at most {LONGEST} in {key}")
    return value


def _short(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."
