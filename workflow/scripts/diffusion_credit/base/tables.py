"""The table of subsets: what a design lists, and, with values, all that an estimator sees.

Contributor names are data. They may be any text, also `value` or `NA`, so columns are found by position and
no reader guesses types: subset, replicate, seed, one 0/1 column a contributor, then `value` or `log_value` where there
is one.
"""

import csv
import io
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import replacing
from diffusion_credit.base.parquet import is_parquet, rows_of_parquet, write_parquet
from diffusion_credit.base.scale import COLUMN, Transform, column_of

RANDOM = "random"  # stands in place of a method where chance decides what is removed
PREDICTION = " prediction"  # ends the name of a row that scores what an estimator expects of subsets
KEY = ["subset", "replicate", "seed"]
INDEX = ("", "Unnamed: 0")  # names that pandas gives to the index of a table, when it writes and when it reads


@dataclass(frozen=True)
class Subsets:
    """Subsets of contributors, one a row.

    contributors: n names. subset: ids. replicate: number of the independent training of that id.
    seed: the training's seed. members: (rows, n) bool. value: (rows,) utilities, or None in a design.
    transform: the scale of the values.
    """

    contributors: list[str]
    subset: list[str]
    replicate: list[int]
    seed: list[int]
    members: np.ndarray
    value: np.ndarray | None = None
    transform: Transform = "none"

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
            self.transform,
        )


def concatenate(tables: Sequence[Subsets]) -> Subsets:
    """All rows of several tables of the same contributors."""
    first = tables[0]
    if any(table.contributors != first.contributors for table in tables):
        raise ValueError("tables of different contributors")
    if any(table.transform != first.transform for table in tables):
        raise ValueError("tables of different scales")
    values = [table.value for table in tables if table.value is not None]
    return Subsets(
        first.contributors,
        [s for table in tables for s in table.subset],
        [r for table in tables for r in table.replicate],
        [s for table in tables for s in table.seed],
        np.concatenate([table.members for table in tables]),
        np.concatenate(values) if len(values) == len(tables) else None,
        first.transform,
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


def write_table(path: str | Path, columns: dict[str, Sequence[Any]], text: Collection[str]) -> None:
    """Write a table that people read: Parquet where its name says so, else CSV. text: the columns without numbers."""
    if is_parquet(path):
        write_parquet(path, columns, text)
    else:
        write_csv(path, list(columns), zip(*columns.values(), strict=True))


def rows_of(path: str | Path) -> Iterator[list[str]]:
    """Header and rows of a CSV as text, one at a time; of a table in Parquet as a CSV would have them.

    Raises UserError on a missing or empty file, on what is not CSV (or not Parquet), and on a row of another length.
    """
    if is_parquet(path):
        yield from rows_of_parquet(path)
        return
    header: list[str] | None = None
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            for number, row in enumerate(csv.reader(stream), start=1):
                header = header or row
                if not row:
                    continue  # a blank line
                if len(row) != len(header):
                    raise UserError(
                        f"{path}: row {number} has {len(row)} fields, expected {len(header)} as in the header"
                    )
                yield row
    except OSError as error:
        raise UserError(f"{path}: {(error.strerror or 'not readable').lower()}, expected a CSV file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: found something that is not a CSV file in UTF-8 ({error})") from None
    if not header:
        raise UserError(f"{path}: found an empty file, expected a CSV header")


def read_csv(path: str | Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table as text. Raises what `rows_of` raises."""
    header, *rows = rows_of(path)
    return header, rows


def write_subsets(path: str | Path, table: Subsets) -> None:
    """Write a design or a table of utilities, as `write_table` would; in a CSV a row's memberships are one text.

    Raises UserError where a contributor is called as another column is and the table is Parquet.
    """
    header = [*KEY, *table.contributors, *([] if table.value is None else [column_of(table.transform)])]
    if is_parquet(path):
        if twice := [name for name, count in Counter(header).items() if count > 1]:
            raise UserError(f"{path}: found the column {twice[0]!r} twice, expected a CSV, which can hold both")
        columns = [table.subset, table.replicate, table.seed, *table.members.T.astype(np.int64)]
        columns += [] if table.value is None else [table.value]
        write_parquet(path, dict(zip(header, columns, strict=True)), ["subset"])
        return
    keys = [
        [subset, str(replicate), str(seed)]
        for subset, replicate, seed in zip(table.subset, table.replicate, table.seed, strict=True)
    ]
    values = [[]] * len(table) if table.value is None else [[repr(float(x))] for x in table.value]
    everything = any("\r" in cell for line in (header, *keys) for cell in line)
    digit = b',"0"' if everything else b",0"
    text = np.tile(np.frombuffer(digit, dtype=np.uint8), len(table.contributors))
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        stream.write(_line(header, everything) + "\n")
        for key, members, value in zip(keys, table.members, values, strict=True):
            text[digit.index(b"0") :: len(digit)] = ord("0") + members
            stream.write(_line(key, everything) + text.tobytes().decode())
            stream.write(("," + _line(value, everything) if value else "") + "\n")


def _line(cells: Sequence[str], everything: bool) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n", quoting=csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL).writerow(cells)
    return line.getvalue()[:-1]


def read_subsets(path: str | Path, valued: bool = False) -> Subsets:
    """Read a design, or with `valued` a table of utilities: our own, or any with one 0/1 column a contributor.

    Our own are known by their first three columns and by `value` or `log_value` at the end, whatever contributors are
    called. In others these, `subset`, `replicate` and `seed` are found by name, the last three may be missing: rows of
    the same contributors are then replicates of one subset. Raises UserError naming file, row and column on a malformed
    header, membership, number or value. In Parquet the names of the columns count as row 1, too.
    """
    lines = rows_of(path)
    header = next(lines)
    ours = header[:3] == KEY and (not valued or header[-1] in COLUMN)
    column = header[-1] if ours else next((name for name in COLUMN if name in header), None)
    places = range(3, len(header) - valued) if ours else [i for i, x in enumerate(header) if x not in (*KEY, column)]
    names = [header[i] for i in places]
    if valued and not ours and set(COLUMN) <= set(header):
        raise UserError(f"{path}: found the columns {' and '.join(COLUMN)}, expected one of them")
    special = {name: header.index(name) for name in KEY if name in header}
    value = len(header) - 1 if ours else header.index(column) if column else None
    if not ours and header and header[0] in INDEX:
        raise UserError(
            f"{path}: column 1 looks like an index, as its name is {header[0]!r}; expected a table without one, as"
            " to_csv(..., index=False) of pandas writes"
        )
    for i in places:
        if not header[i].strip():
            raise UserError(f"{path}: column {i + 1} has no name, expected a contributor's")
    unique = names if ours else header
    for name, count in Counter(unique).items():
        if count > 1:
            raise UserError(f"{path}: found the column {name!r} twice, expected every column name once")
    if len(names) < 2 or (valued and value is None):
        expected = "one 0/1 column a contributor, at least two" + (", and the column value" if valued else "")
        raise UserError(f"{path}: found the header {','.join(header)[:80]}, expected {expected}")
    members, numbers, cells = [], [], []
    for number, row in enumerate(lines, start=2):
        chosen = [row[i] for i in places]
        if not {"0", "1"}.issuperset(chosen):
            name, cell = next((n, c) for n, c in zip(names, chosen, strict=True) if c not in ("0", "1"))
            raise UserError(f"{path}: row {number}, column {name}: found {cell!r}, expected 0 or 1")
        members.append(np.frombuffer("".join(chosen).encode(), dtype=np.uint8) == ord("1"))
        cells.append([row[special[name]] if name in special else "" for name in KEY])
        if valued and value is not None:
            numbers.append(_number(float, row[value], path, number, header[value]))
    matrix = np.array(members, dtype=bool).reshape(len(members), len(names))
    ids, replicate = ids_of(matrix)
    return Subsets(
        names,
        [row[0] for row in cells] if "subset" in special else ids,
        [int(_number(int, row[1], path, i, "replicate")) for i, row in enumerate(cells, start=2)]
        if "replicate" in special
        else replicate,
        [int(_number(int, row[2], path, i, "seed")) for i, row in enumerate(cells, start=2)]
        if "seed" in special
        else [0] * len(cells),
        matrix,
        np.array(numbers) if valued else None,
        COLUMN[header[value]] if valued and value is not None else "none",
    )


def _number(kind: type[int] | type[float], text: str, path: str | Path, row: int, column: str) -> float:
    expected = "a whole number" if kind is int else "a number"
    try:
        number = float(text)
    except ValueError:
        raise UserError(f"{path}: row {row}, column {column}: found {text!r}, expected {expected}") from None
    if not math.isfinite(number):
        raise UserError(f"{path}: row {row}, column {column}: found {text}, expected a finite number")
    if kind is int and not number.is_integer():
        raise UserError(f"{path}: row {row}, column {column}: found {text}, expected {expected}")
    return int(text) if kind is int and text.strip().lstrip("-").isdigit() else number


def ids_of(members: np.ndarray) -> tuple[list[str], list[int]]:
    """Ids by membership, named after the first row of each, and the number of the row among its like."""
    first: dict[bytes, str] = {}
    seen: dict[bytes, int] = {}
    ids, replicate = [], []
    for row, key in enumerate(map(bytes, np.packbits(members, axis=1))):
        ids.append(first.setdefault(key, f"{row:05d}"))
        replicate.append(seen.setdefault(key, 0))
        seen[key] += 1
    return ids, replicate
