"""Files of options in YAML."""

import json
from pathlib import Path
from typing import Any

import yaml

from diffusion_credit.base.errors import UserError


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys and values of a YAML file. Raises UserError, with line and column where the file is not YAML."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        raise UserError(_sentence(path, error)) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: not a readable YAML file ({reason})") from None
    except RecursionError:
        raise UserError(f"{path}: found brackets in brackets in brackets, expected YAML") from None
    if not isinstance(found, dict):
        raise UserError(f"{path}: found {found!r:.40}, expected keys and values")
    return found


def _sentence(path: Path, error: yaml.MarkedYAMLError) -> str:
    mark, problem = error.problem_mark, error.problem or "it cannot be read"
    where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    if "'\\t'" in problem:
        return f"{path}{where}: found a tab, expected blanks before the key"
    return f"{path}{where}: found something that is not YAML ({problem})"


def one_line(value: Any) -> str:
    """A value of texts, lists and sections as one line of YAML, in which nothing is hidden that cannot be printed."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)
