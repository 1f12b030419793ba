"""Numbers that a paper published, beside the study's own."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.tables import Subsets, read_csv
from diffusion_credit.evaluation.lds import predicted

COLUMNS = ["table", "row", "property", "method", "part", "alpha", "published", "plus_minus", "difference"]
HEADER = [
    "row", "property", "method", "part", "alpha", "published", "plus_minus", "ours", "low", "high", "made_of",
    "difference", "note",
]  # fmt: skip
# LDS in percent; change of the property in percent, retrained without the top; Pearson correlation of a regime's models
# with retrained ones; minutes a model
TABLES = ("lds", "removal", "fidelity", "runtime")


@dataclass(frozen=True)
class Row:
    """A published number, or the place of one that we do not know, as COLUMNS say.

    row: the paper's name for it. method: ours for an estimator or baseline, or a regime. part: of a baseline, whether
    scores are averaged over generated images (`mean`) or the highest counts (`max`); of a runtime, the stage. published
    and plus_minus, its published uncertainty: as text, empty where the paper has none. difference: in words.
    """

    table: str
    row: str
    property: str
    method: str
    part: str
    alpha: str
    published: str
    plus_minus: str
    difference: str


def read_published(
    path: str | Path, estimators: list[str], baselines: list[str], regimes: list[str], properties: list[str]
) -> list[Row]:
    """The rows of a file of published numbers. estimators, baselines, regimes, properties: of the study.

    Raises UserError naming file and row where one is not as `Row` says, or names what the study does not have.
    """
    header, lines = read_csv(path)
    if header != COLUMNS:
        raise UserError(f"{path}: found the columns {','.join(header)}, expected {','.join(COLUMNS)}")
    found = []
    for number, line in enumerate(lines, start=2):
        row = Row(*line)
        known = {
            "table": (row.table, [*TABLES]),
            "property": (row.property, properties),
            "method": (row.method, [*estimators, *baselines] if row.table in ("lds", "removal") else regimes),
            "part": (row.part, _parts(row, baselines)),
        }
        for column, (value, expected) in known.items():
            if value not in expected:
                raise UserError(
                    f"{path}: row {number}, column {column}: found {value!r}, expected one of"
                    f" {', '.join(each or 'nothing' for each in expected)}"
                )
        for column, value in (("published", row.published), ("plus_minus", row.plus_minus)):
            if value and not _is_number(value):
                raise UserError(f"{path}: row {number}, column {column}: found {value!r}, expected a number or nothing")
        found.append(row)
    return found


def _parts(row: Row, baselines: list[str]) -> list[str]:
    if row.table == "runtime":
        return ["models", "images"]
    return ["", "mean", "max"] if row.table == "lds" and row.method in baselines else [""]


def beside(rows: list[Row], ours: Mapping[str, Callable[[Row], list[Any]]]) -> dict[str, list[list[Any]]]:
    """Table -> rows of HEADER, in the paper's order. ours: table -> (ours, low, high, made_of, note) of a row."""
    found: dict[str, list[list[Any]]] = {table: [] for table in TABLES}
    for row in rows:
        *numbers, note = ours[row.table](row)
        given = [row.row, row.property, row.method, row.part, row.alpha, row.published, row.plus_minus]
        found[row.table].append([*given, *numbers, row.difference, note])
    return found


def lds(row: Row, held_out: dict[str, Subsets], values: Any, made_of: str, seed: int) -> list[Any]:
    """The LDS of values (n,) at the row's alpha, in percent. held_out: alpha -> retrained subsets."""
    if row.alpha not in held_out:
        return _none(f"not measured: the study holds out subsets of {', '.join(held_out)}")
    ((_, *numbers, note),) = predicted({row.alpha: held_out[row.alpha]}, {row.method: values}, seed)[row.method]
    return [*(100 * x if x != "" else x for x in numbers), made_of, note]


def looked_up(
    path: str | Path, wanted: dict[str, str], columns: tuple[str, str, str], factor: float, note: str = "note"
) -> list[Any]:
    """Three columns, times a factor, of the one row of a table of results that has the wanted values.

    A column that is called `` is empty. Without such a row, or without its number, there is a note in their place.
    note: the column that says why, or ``.
    """
    header, lines = read_csv(path)
    for line in lines:
        cells = dict(zip(header, line, strict=True))
        if all(cells[key] == value for key, value in wanted.items()):
            if not cells[columns[0]]:
                return _none(cells.get(note) or "not measured by this study")
            numbers = [factor * float(cells[key]) if key and cells[key] else "" for key in columns]
            return [*numbers, cells.get("made_of", ""), cells.get(note, "")]
    return _none("not measured by this study")


def _none(note: str) -> list[Any]:
    return ["", "", "", "", note]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
