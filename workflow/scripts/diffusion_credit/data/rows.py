"""Images in the rows of Arrow tables: what the sources share that read them, a few rows at a time.

A first pass reads whose the rows are, a second one the images, so that a table may be much larger than the memory.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.data.image_files import Record, Records, read_records
from diffusion_credit.data.images import Images
from diffusion_credit.data.table_options import TableOptions, check_columns
from diffusion_credit.data.texts import caption_of, contributor_of

# (columns, the rows that are wanted or None for all) -> batches of few rows, each with the number of its first row.
Batches = Callable[[list[str], set[int] | None], Iterator[tuple[int, Any]]]


class RowOptions(TableOptions):
    """The options of every source that reads images from rows."""

    image: str = Field(
        default="image",
        description="The column of the images: files as bytes, or as Hugging Face's `datasets` keeps them.",
    )


@dataclass(frozen=True)
class Shard:
    """A file of rows. name: as the index shows it. schema: pyarrow's. labels: see `labels_of`."""

    path: Path
    name: str
    schema: Any
    labels: dict[str, list[Any]]
    batches: Batches


def labels_of(info: Any, path: Path) -> dict[str, list[Any]]:
    """Column -> the names of its numbers, of each that is a ClassLabel. info: what `datasets` notes of the columns.

    Raises UserError where it cannot be read.
    """
    features = (info.get("features") or {}) if isinstance(info, dict) else None
    if not isinstance(features, dict):
        raise UserError(
            f"{path}: found features that are no JSON object, expected what `datasets` notes of the columns"
        )
    classes = {k: v for k, v in features.items() if isinstance(v, dict) and v.get("_type") == "ClassLabel"}
    for column, feature in classes.items():
        if not isinstance(feature.get("names"), list):
            raise UserError(f"{path}: found no list of names of the ClassLabel {column!r}, expected one")
    return {column: feature["names"] for column, feature in classes.items()}


@contextmanager
def whole(path: Path, kind: str) -> Iterator[None]:
    """Turns what pyarrow raises on a damaged file into a sentence with its name and the kind that is expected."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # nearly any
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UserError(f"{path}: found something that is not {kind} ({reason})") from None


def read_rows(shards: list[Shard], options: RowOptions) -> Images:
    """Read the images: contributors sorted by name, the images of each in the order of files and rows.

    Raises UserError on columns that are not there or hold something else, on a row without an image, a contributor or
    a caption, and on a damaged file.
    """
    records: Records = {}
    for shard in shards:
        _check(shard, options)
        for row, contributor, caption in _texts(shard, options):
            records.setdefault(contributor, []).append(Record(f"{shard.name}#{row}", caption))
    if not records:
        wanted = f" with {options.where}" if options.where else ""
        raise UserError(f"{options.path}: found no row{wanted}, expected at least one (data.where)")
    return read_records({name: records[name] for name in sorted(records)}, options, partial(_contents, shards, options))


def _check(shard: Shard, options: RowOptions) -> None:
    """Raises UserError where the columns are not there, or not of types that can be read."""
    from pyarrow import types

    check_columns(shard.path, shard.schema.names, [("data.image", options.image), *options.columns().items()])
    texts = (types.is_string, types.is_large_string, types.is_string_view)
    for key, column in options.columns().items():
        found = kind = shard.schema.field(column).type
        if types.is_dictionary(kind):
            kind = kind.value_type
        expected = "text" if key == "data.caption" else "text or whole numbers"
        if not (any(is_text(kind) for is_text in texts) or (types.is_integer(kind) and key != "data.caption")):
            raise UserError(f"{shard.path}: found {found} in the column {column!r}, expected {expected} ({key})")
    kind = found = shard.schema.field(options.image).type
    if types.is_struct(found) and found.get_field_index("bytes") >= 0:
        kind = found.field("bytes").type
    if not (types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)):
        raise UserError(
            f"{shard.path}: found {found} in the column {options.image!r}, expected images as bytes, or with their"
            " bytes in a struct as `datasets` has them (data.image)"
        )


def _texts(shard: Shard, options: RowOptions) -> Iterator[tuple[int, str, str | None]]:
    """Row, contributor and caption of the rows that take part."""
    columns = list(dict.fromkeys(options.columns().values()))
    contributor, caption = options.contributor, options.caption
    for start, batch in shard.batches(columns, None):
        with whole(shard.path, "text in UTF-8"):
            cells = [batch.column(column).to_pylist() for column in columns]
        for number, row in enumerate(zip(*cells, strict=True), start=start):
            where = f"{shard.path}#{number}"
            named = {
                name: _named(cell, shard.labels.get(name), where, name) for name, cell in zip(columns, row, strict=True)
            }
            if options.takes({name: "" if cell is None else str(cell) for name, cell in named.items()}):
                yield (
                    number,
                    contributor_of(named[contributor], where, f"the column {contributor}"),
                    None if caption is None else caption_of(named[caption], where, f"the column {caption}"),
                )


def _named(cell: Any, names: list[Any] | None, where: str, column: str) -> Any:
    """A cell, or the name of its number where there are names. There, -1 stands for none."""
    if names is None or not isinstance(cell, int):
        return cell
    if not -1 <= cell < len(names):
        raise UserError(f"{where}: found {cell} in the column {column!r}, expected one of its {len(names)} classes")
    return None if cell == -1 else names[cell]


def _contents(shards: list[Shard], options: RowOptions, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    rows: dict[str, set[int]] = {shard.name: set() for shard in shards}
    for source in wanted:
        name, _, row = source.rpartition("#")
        rows[name].add(int(row))
    for shard in shards:
        for start, batch in shard.batches([options.image], rows[shard.name]):
            for number, cell in enumerate(batch.column(options.image), start=start):
                if number in rows[shard.name]:
                    yield f"{shard.name}#{number}", _bytes(cell, f"{shard.path}#{number}")


def _bytes(cell: Any, where: str) -> bytes:
    """The image in a pyarrow cell. Raises UserError where there is none."""
    in_struct = hasattr(cell, "keys")
    if (found := (cell["bytes"] if in_struct and cell.is_valid else cell).as_py()) is None:
        named = in_struct and cell.is_valid and "path" in cell and cell["path"].is_valid
        what = "only the name of an image" if named else "no image"
        raise UserError(f"{where}: found {what}, expected the bytes of its file")
    return bytes(found)
