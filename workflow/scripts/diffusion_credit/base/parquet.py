"""Tables in Parquet, which people's own programs write and read.

They come and go through pandas. It is imported only where a file is Parquet: starting it takes longer than reading
most tables, and no job of a study needs it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import replacing


def is_parquet(path: str | Path) -> bool:
    """Whether a table of this name is Parquet. Every other table is a CSV."""
    return Path(path).suffix.lower() == ".parquet"


def need_pyarrow(*paths: str | Path | None) -> None:
    """Raises UserError when one of the tables is Parquet and the package that pandas reads it with is missing."""
    for path in paths:
        if path and is_parquet(path) and not find_spec("pyarrow"):
            raise UserError(
                f"{path}: the package pyarrow is not installed, expected it for Parquet (pip install -e '.[parquet]')"
            )


def rows_of_parquet(path: str | Path) -> Iterator[list[str]]:
    """Column names and rows as a CSV would have them as text: true is 1, a whole number has no point, missing is empty.

    Levels of the index that have a name are columns; an index without a name only numbers the rows.
    Raises UserError on a missing file, on what is not Parquet, and without pyarrow.
    """
    need_pyarrow(path)
    import pandas

    try:
        with open(path, "rb") as stream:
            # Types that know a missing value, else whole numbers beside one would be rounded to float64.
            frame = pandas.read_parquet(stream, engine="pyarrow", dtype_backend="numpy_nullable")
        frame = frame.reset_index([name for name in frame.index.names if name is not None])
    except Exception as error:  # a damaged file leads pandas and pyarrow to almost any
        if isinstance(error, OSError) and error.strerror:
            raise UserError(f"{path}: {error.strerror.lower()}, expected a Parquet file") from None
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UserError(f"{path}: found something that is not a table in Parquet ({reason})") from None
    yield [str(name) for name in frame.columns]
    for row in frame.itertuples(index=False, name=None):
        yield [_text(cell, pandas.NA) for cell in row]


def _text(cell: Any, missing: Any) -> str:
    if cell is missing or cell is None:
        return ""
    if isinstance(cell, bool | np.bool_):
        return str(int(cell))
    if isinstance(cell, float | np.floating):
        return "" if np.isnan(cell) else repr(float(cell)).removesuffix(".0")
    return str(cell)


def write_parquet(path: str | Path, columns: Mapping[str, Sequence[Any] | np.ndarray], text: Collection[str]) -> None:
    """Write columns by name: str where `text` names them, else int64, or float64 where a cell is not whole or empty.

    An empty cell is missing. These are the types that pandas finds in the same table as a CSV, except that text stays
    text where all of it is missing.
    """
    need_pyarrow(path)
    import pandas

    frame = pandas.DataFrame(
        {
            name: pandas.array([cell or None for cell in cells], dtype="str") if name in text else _numbers(cells)
            for name, cells in columns.items()
        }
    )
    with replacing(path) as temporary:
        frame.to_parquet(temporary, engine="pyarrow", index=False)


def _numbers(cells: Sequence[Any] | np.ndarray) -> np.ndarray:
    if isinstance(cells, np.ndarray):
        return cells
    return np.array([np.nan if cell == "" else cell for cell in cells])
