"""config/README.md, made from the models of the configuration: `python -m diffusion_credit.study.config_docs`."""

import inspect
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from diffusion_credit.base.plugins import module_of
from diffusion_credit.models.options import Given, Training
from diffusion_credit.models.regimes import REGIMES
from diffusion_credit.study.config import Study

HEAD = """# Options of a study

A study is one self-contained YAML file: `snakemake --configfile config/studies/my_study.yaml`, or
`make run STUDY=config/studies/my_study.yaml`. Without it the default study, `config/config.yaml`, runs. Unknown keys
are refused. Numbers like 1e-4 need a dot in YAML (1.0e-4).

A changed comment reruns nothing. A changed option reruns only the stages that use it. A dot in a key stands for
a section: `design.subsets` is `subsets` in the section `design`. [Words](../docs/words.md) explains the terms.

This file is made from the models that check the config:
`python -m diffusion_credit.study.config_docs > config/README.md`.
"""


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The pydantic models anywhere in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _kind(annotation: Any, metadata: list[Any]) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(parts[0], [*parts[1:]])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in parts)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_kind(part, []) for part in parts if part is not NoneType))
    if origin is list:
        return f"list of {_kind(parts[0], [])}"
    if _models(annotation):
        return "section"
    names: dict[Any, str] = {
        str: "text",
        int: "integer",
        float: "number",
        bool: "true or false",
        dict: "options",
        Any: "option",
    }
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = []
    for entry in metadata:
        for part in entry if isinstance(entry, annotated_types.GroupedMetadata) else [entry]:
            bounds += [f"{sign} {getattr(part, key)}" for key, sign in signs.items() if hasattr(part, key)]
    return " ".join([names[origin or annotation], ", ".join(bounds)]).strip()


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "as below"
    return "none" if value is None else f"`{value}`"


def _section(path: str, model: type[BaseModel]) -> list[str]:
    """The table of one section, then those of the sections in it."""
    choice = ""
    told_by = next((name for name in ("source", "kind") if name in model.model_fields), None)
    if model.__name__ == "Options" and told_by:  # one of several modules for this place, told apart by a key
        choice = f" with `{told_by}: {get_args(model.model_fields[told_by].annotation)[0]}`"
    if model is Given:
        choice = " with `from`"
    lines = [f"\n## `{path}`{choice}\n" if path else "\n## Top level\n", inspect.getdoc(model) or "", ""]
    lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
    inner: list[str] = []
    for field_name, field in model.model_fields.items():
        name = field.alias or field_name
        models = _models(field.annotation)
        named = get_origin(field.annotation) is dict
        key = f"{path}.{name}" if path else name
        meaning = field.description or (inspect.getdoc(models[0]) if models else "") or ""
        inside = get_args(field.annotation)[-1] if named else None
        kind = "sections by name" if named and models else _kind(inside or field.annotation, field.metadata)
        kind += " by name" if named and not models else ""
        lines.append(f"| `{name}` | {kind} | {_default(field)} | {' '.join(meaning.split())} |")
        for nested in models:
            if nested.__name__ == "Training" and key != "training":
                continue
            inner += _section(f"{key}.<name>" if named else key, nested)
    return lines + inner


def document() -> str:
    """The text of config/README.md."""
    others = [name for name in REGIMES if module_of("regimes", name).Options is not Training]
    but = " and ".join(f"`{name}`" for name in others)
    training = f"\n`pruning.refit` and every section of `regimes` but {but} has the keys of `training`.\n"
    return HEAD + "\n".join(_section("", Study)) + "\n" + training


if __name__ == "__main__":
    print(document(), end="")
