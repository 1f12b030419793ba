"""What is wrong with a configuration, as one sentence: the key, what was found, what was expected."""

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.names import printable
from diffusion_credit.base.options import Section
from diffusion_credit.models.options import TAGS

Config = dict[str, Any]
Check = Callable[[Config], object]  # raises ValidationError
NUMBERS = ("int_type", "float_type", "bool_type")  # complaints about a text where a number, or true or false, belongs


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


def with_numbers(error: ValidationError, config: Config, told: Mapping[str, Any]) -> Config | None:
    """The configuration with numbers instead of texts that `told` has as well, where numbers belong; None without any.

    Snakemake reads `--config 'design={"subsets": 16}'` as if it were `"16"`.
    """
    mended = deepcopy(config)
    found = False
    for complaint in error.errors():
        if complaint["type"] in NUMBERS and isinstance(text := complaint["input"], str):
            *sections, key = _keys(complaint["loc"], config, False)
            inside = _at(mended, sections)
            value = _number(text)
            if value is None or _at(told, [*sections, key]) != text:
                continue
            if isinstance(inside, list):
                inside[int(key)] = value
            elif isinstance(inside, dict):
                inside[key] = value
            found = True
    return mended if found else None


def _number(text: str) -> int | float | None:
    """A number, or true or false, as YAML reads it; None for anything else."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return None
    return value if isinstance(value, int | float) else None


def _at(config: Any, keys: list[str]) -> Any:
    """What lies below the keys of a configuration; None where there is nothing."""
    for key in keys:
        if isinstance(config, list) and key.isdigit() and int(key) < len(config):
            config = config[int(key)]
        else:
            config = config.get(key) if isinstance(config, Mapping) else None
    return config


def sentence(error: ValidationError, config: Config, check: Check) -> str:
    """The first complaint of a pydantic error as: key, what was found, what was expected. check: what raised it."""
    # A misspelt key makes two complaints; the one about the unknown key shows the reader where to look.
    first = min(error.errors(), key=lambda complaint: complaint["type"] != "extra_forbidden")
    keys = list(_keys(first["loc"], config, first["type"] in ("extra_forbidden", "missing")))
    key = printable(".".join(keys))
    if first["type"] == "value_error":
        message = str(first["ctx"]["error"])
        if ": found" in message or ": not found" in message:
            return f"config: {key + '.' if key else ''}{message}"
        return f"config: {key}: found {first['input']!r}, expected {message}"
    if first["type"] == "extra_forbidden":
        meant = f"; did you mean {near}?" if (near := _meant(keys, config, check)) else ""
        return f"config: {key}: found an unknown key, expected only the keys listed in config/README.md{meant}"
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
    if first["type"] in ("float_type", "int_type") and isinstance(first["input"], str):
        expected += _as_number(first["input"].strip(), first["type"] == "int_type")
    return f"config: {key}: found {first['input']!r}, expected {expected}"


def _as_number(text: str, whole: bool) -> str:
    """How YAML wants the number that a text is meant to be; nothing where it is none."""
    number = text
    if re.fullmatch(r"[-+]?\d{1,3}([,_ ']\d{3})+(\.\d*)?%?", text):  # thousands apart
        number = re.sub(r"[,_ ']", "", text)
    elif re.fullmatch(r"[-+]?\d*,\d+%?", text):
        number = text.replace(",", ".")
    try:
        value = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        return ""
    if whole:
        return f" (write {value:.0f})" if value.is_integer() else ""
    if re.fullmatch(r"[-+]?[\d.]+[eE][-+]?\d+", text):
        mantissa, exponent = text.lower().split("e")
        mantissa += "" if "." in mantissa else ".0"
        exponent = exponent if exponent[0] in "+-" else f"+{exponent}"
        return f" (YAML takes {text} for text; write {mantissa}e{exponent})"
    return f" (write {value:.12g})" if "e" not in f"{value:.12g}" else ""


def _meant(keys: list[str], config: Config, check: Check) -> str:
    """The known key that was probably meant by an unknown one: it is spelt alike, and its section has it."""
    *sections, misspelt = keys
    inside = _at(config, sections)
    if not isinstance(inside, dict) or misspelt not in inside:
        return ""
    for near in get_close_matches(misspelt, sorted(_known(Section)), n=5):
        tried = deepcopy(config)
        section = _at(tried, sections)
        section[near] = section.pop(misspelt)
        try:
            check(tried)
        except ValidationError as error:
            if any(
                complaint["type"] == "extra_forbidden"
                and list(_keys(complaint["loc"], tried, True)) == [*sections, near]
                for complaint in error.errors()
            ):
                continue
        return near
    return ""


def _known(section: type[Section]) -> set[str]:
    """Every key of a section and of those that are made from it."""
    return set(section.model_fields).union(*map(_known, section.__subclasses__()))


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
