"""A property's value for each model of a collection, and the table of utilities made of them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.base.collection import entries, fill
from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import announce, digest_of_file, read_json, read_manifest, versions, write_json
from diffusion_credit.base.scale import Transform, transformed
from diffusion_credit.base.tables import Subsets, concatenate, read_subsets
from diffusion_credit.measuring.features import reader
from diffusion_credit.measuring.properties import Property

PROPERTY = "property.json"


def measure(
    name: str,
    module: Property,
    options: dict[str, Any],
    source: Path,
    reference: tuple[Path, dict[str, np.ndarray]] | None,
    collection: Path,
    code: str,
) -> None:
    """Write property.json (value, definition, provenance) for each entry of a collection of features or of images.

    source: the manifest of that collection. reference: file and arrays that the property's `fit` made, or None.
    Raises UserError naming the property and the model whose value is not finite; the values measured before are kept.
    """
    read = reader(module)
    found = entries(source)
    wanted = {entry: definition(options, code, reference) | {"source": digest} for entry, (_, digest) in found.items()}

    def value_of(entry: str) -> float:
        value: float = module.evaluate(read(found[entry][0]), options, reference[1] if reference else {})
        return value

    write_values(name, source.parent, wanted, value_of, collection)


def definition(
    options: dict[str, Any], code: str, reference: tuple[Path, dict[str, np.ndarray]] | None
) -> dict[str, Any]:
    """What every value of a property depends on, besides what it was measured on."""
    return {
        "property": options,
        "code": code,
        "reference": digest_of_file(reference[0]) if reference else None,
        "versions": versions("numpy", "scipy"),
    }


def write_values(
    name: str, of: Path, wanted: dict[str, dict[str, Any]], value_of: Callable[[str], float], collection: Path
) -> None:
    """Write property.json for each entry of `wanted`, entry -> provenance.

    of: what holds the entries. Raises UserError naming the entry whose value is not finite.
    """

    def make(entry: str, folder: Path, _: Path) -> None:
        value = value_of(entry)
        if not math.isfinite(value):
            raise UserError(f"property {name} of {of / entry}: found {value}, expected a finite number")
        write_json(folder / PROPERTY, {"name": name, "value": value})
        announce(folder, [PROPERTY], provenance=wanted[entry])

    fill(collection, wanted, make)


def values(manifests: Sequence[str | Path]) -> dict[str, float]:
    """Entry -> value over several collections of one property."""
    found = {name: folder for manifest in manifests for name, (folder, _) in entries(manifest).items()}
    for folder in found.values():
        read_manifest(folder)
    return {name: float(read_json(folder / PROPERTY)["value"]) for name, folder in found.items()}


def utilities_of_each(
    designs: Sequence[str | Path], manifests: Sequence[str | Path], transforms: dict[str, Transform]
) -> dict[str, Subsets]:
    """Property -> the same designs with its values. manifests: one a design, for each property in turn."""
    left = iter(manifests)
    return {name: utilities(designs, [next(left) for _ in designs], scale) for name, scale in transforms.items()}


def utilities(designs: Sequence[str | Path], manifests: Sequence[str | Path], transform: Transform) -> Subsets:
    """Designs with the values measured for them, on the scale that is credited.

    Raises UserError when one has no value, or one without a logarithm where that is credited.
    """
    table = concatenate([read_subsets(path) for path in designs])
    known = values(manifests)
    missing = [name for name in table.names if name not in known]
    if missing:
        raise UserError(f"{manifests[0]}: found no value for {len(missing)} subset(s) such as {missing[0]}")
    try:
        value = transformed(np.array([known[name] for name in table.names]), transform, table.names)
    except UserError as error:
        raise UserError(f"{manifests[0]}: {error}") from None
    return replace(table, value=value, transform=transform)
