"""The table of subsets: what a design lists, and, with values, all that an estimator sees.

Contributor names are data. They may be any text, also `value` or `NA`, so columns are found by position and
no reader guesses types: subset, replicate, seed, one 0/1 column a contributor, then `value` where there is one.
"""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffusion_credit.errors import UserError
from diffusion_credit.files import replacing

KEY = ["subset", "replicate", "seed"]


@dataclass(frozen=True)
class Subsets:
    """Subsets of contributors, one a row.

    contributors: n names. subset: ids. replicate: number of the independent training of that id.
    seed: the training's seed. members: (rows, n) bool. value: (rows,) utilities, or None in a design.
    """

    contributors: list[str]
    subset: list[str]
    replicate: list[int]
    seed: list[int]
    members: np.ndarray
    value: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.subset)

    @property
    def names(self) -> list[str]:
        """A folder name for each row: its id and replicate. Never a contributor's name."""
        return [f"{subset}-{replicate}" for subset, replicate in zip(self.subset, self.replicate, strict=True)]

    def rows(self, chosen: Sequence[int] | np.ndarray) -> "Subsets":
        """The chosen rows (indices or a boolean mask), in order."""
        index = np.arange(len(self))[np.asarray(chosen)]
        return Subsets(
            self.contributors,
            [self.subset[i] for i in index],
            [self.replicate[i] for i in index],
            [self.seed[i] for i in index],
            self.members[index],
            None if self.value is None else self.value[index],
        )


def concatenate(tables: Sequence[Subsets]) -> Subsets:
    """All rows of several tables of the same contributors."""
    first = tables[0]
    if any(table.contributors != first.contributors for table in tables):
        raise ValueError("tables of different contributors")
    values = [table.value for table in tables if table.value is not None]
    return Subsets(
        first.contributors,
        [s for table in tables for s in table.subset],
        [r for table in tables for r in table.replicate],
        [s for table in tables for s in table.seed],
        np.concatenate([table.members for table in tables]),
        np.concatenate(values) if len(values) == len(tables) else None,
    )


def write_csv(path: str | Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV in UTF-8 with floats in their shortest exact form."""
    lines = [list(header)]
    lines += [[repr(float(x)) if isinstance(x, float | np.floating) else str(x) for x in row] for row in rows]
    # The writer does not quote a carriage return by itself, and the reader takes a bare one for the end of a row.
    everything = any("\r" in cell for line in lines for cell in line)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL)
        writer.writerows(lines)


def read_csv(path: str | Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV as text. Raises UserError on a missing file or a row of another length."""
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
    except FileNotFoundError:
        raise UserError(f"{path}: not found, expected a CSV file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: found something that is not a CSV file in UTF-8 ({error})") from None
    if not rows:
        raise UserError(f"{path}: found an empty file, expected a CSV header")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]):
            raise UserError(f"{path}: row {number} has {len(row)} fields, expected {len(rows[0])} as in the header")
    return rows[0], rows[1:]


def write_subsets(path: str | Path, table: Subsets) -> None:
    """Write a design or a table of utilities."""
    header = [*KEY, *table.contributors, *([] if table.value is None else ["value"])]
    columns: list[Sequence[object]] = [table.subset, table.replicate, table.seed, *table.members.astype(int).T.tolist()]
    if table.value is not None:
        columns.append([float(x) for x in table.value])
    write_csv(path, header, zip(*columns, strict=True))


def read_subsets(path: str | Path, valued: bool = False) -> Subsets:
    """Read a design, or with `valued` a table of utilities.

    Raises UserError naming file, row and column on a malformed header, membership, number or value.
    """
    header, rows = read_csv(path)
    last = len(header) - valued
    if header[:3] != KEY or (valued and header[-1] != "value") or last <= 3:
        expected = ",".join(KEY) + ",<contributors>" + (",value" if valued else "")
        raise UserError(f"{path}: found the header {','.join(header)[:80]}, expected {expected}")

    def parse(kind: type[int] | type[float], text: str, row: int, column: str) -> int | float:
        try:
            return kind(text)
        except ValueError:
            raise UserError(f"{path}: row {row}, column {column}: found {text!r}, expected a number") from None

    for number, row in enumerate(rows, start=2):
        for name, cell in zip(header[3:last], row[3:last], strict=True):
            if cell not in ("0", "1"):
                raise UserError(f"{path}: row {number}, column {name}: found {cell!r}, expected 0 or 1")
        if valued and not math.isfinite(parse(float, row[-1], number, "value")):
            raise UserError(f"{path}: row {number}, column value: found {row[-1]}, expected a finite number")
    return Subsets(
        header[3:last],
        [row[0] for row in rows],
        [int(parse(int, row[1], i, "replicate")) for i, row in enumerate(rows, start=2)],
        [int(parse(int, row[2], i, "seed")) for i, row in enumerate(rows, start=2)],
        np.array([[cell == "1" for cell in row[3:last]] for row in rows], dtype=bool).reshape(len(rows), last - 3),
        np.array([float(row[-1]) for row in rows]) if valued else None,
    )
