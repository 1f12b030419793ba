"""What is wrong with a configuration, as one sentence: the key, what was found, what was expected."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.options import TAGS


def refuse_repeated_keys(path: Path) -> None:
    """Raises UserError where a section of a YAML file has a key twice, of which YAML keeps the last without a word."""
    waiting: list[tuple[list[str], yaml.Node | None]] = [([], yaml.compose(path.read_text(encoding="utf-8")))]
    while waiting:
        keys, node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting += [([*keys, str(i)], each) for i, each in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            seen = set()
            for key, value in node.value:
                place = [*keys, str(key.value)]
                if key.value in seen:
                    where = f"{path}, line {key.start_mark.line + 1}"
                    raise UserError(f"config: {'.'.join(place)}: found a second time ({where}), expected once")
                seen.add(str(key.value))
                waiting.append((place, value))


def sentence(error: ValidationError, config: dict[str, Any]) -> str:
    """The first complaint of a pydantic error as: key, what was found, what was expected."""
    # A misspelt key makes two complaints; the one about the unknown key shows the reader where to look.
    first = min(error.errors(), key=lambda complaint: complaint["type"] != "extra_forbidden")
    key = ".".join(_keys(first["loc"], config, first["type"] in ("extra_forbidden", "missing")))
    if first["type"] == "value_error":
        message = str(first["ctx"]["error"])
        if ": found" in message or ": not found" in message:
            return f"config: {key + '.' if key else ''}{message}"
        return f"config: {key}: found {first['input']!r}, expected {message}"
    if first["type"] == "extra_forbidden":
        return f"config: {key}: found an unknown key, expected only the keys listed in config/README.md"
    if first["type"] in ("missing", "union_tag_not_found"):
        if first["type"] == "union_tag_not_found":
            key += "." + first["ctx"]["discriminator"].strip("'")
        return f"config: {key}: not found, expected a value (see config/README.md)"
    if first["type"] == "union_tag_invalid":
        key += "." + first["ctx"]["discriminator"].strip("'")
        return f"config: {key}: found {first['ctx']['tag']!r}, expected one of {first['ctx']['expected_tags']}"
    if first["type"] in ("dict_type", "model_type", "model_attributes_type"):
        return f"config: {key}: found {first['input']!r}, expected a section of keys and values"
    if first["type"] in ("string_too_short", "too_short"):
        return f"config: {key}: found {first['input']!r}, expected at least one"
    expected = first["msg"].removeprefix("Input should be ")
    if first["type"] == "float_type" and isinstance(first["input"], str):
        expected += " (YAML takes 1e-4 for text; write 1.0e-4)"
    return f"config: {key}: found {first['input']!r}, expected {expected}"


def _keys(loc: tuple[str | int, ...], config: Any, ends_in_key: bool) -> Iterator[str]:
    """The keys of the file: on entering a section, pydantic also names the kind that it was read as."""
    entered = False
    for place, part in enumerate(loc, start=1):
        kinds = (config.get("kind"), config.get("source")) if isinstance(config, dict) else ()
        if part in TAGS:
            continue
        if entered and part in kinds and not (ends_in_key and place == len(loc)):
            entered = False
            continue
        entered = True
        yield str(part)
        if isinstance(config, dict):
            config = config.get(part)
        elif isinstance(config, list) and isinstance(part, int):
            config = config[part]
