"""Images in Parquet, as Hugging Face publishes data sets: one row an image."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from diffusion_credit.base.plugins import require_package
from diffusion_credit.data import image_files
from diffusion_credit.data.image_files import files_of
from diffusion_credit.data.images import Images
from diffusion_credit.data.rows import RowOptions, Shard, labels_of, read_rows, whole
from diffusion_credit.data.texts import decoded, json_object

ENDINGS = (".parquet",)
ROWS = 8  # of a batch, whose images are in memory together
BUFFER = 1 << 20  # bytes that are read at once; by its own choice pyarrow reads a column of a whole row group


class Options(RowOptions):
    """Parquet with one row for each image."""

    source: Literal["parquet"]
    path: str = Field(
        min_length=1,
        description="A `.parquet` file, or a folder of which all such files are read, relative to where the workflow"
        " is run.",
    )


def read(options: Options) -> Images:
    """Read the rows' images. Raises UserError as `read_rows` does, and without pyarrow."""
    require_package("pyarrow", "parquet", "data.source: parquet")
    return read_rows([_shard(path, name) for name, path in files_of(options, ENDINGS).items()], options)


def _shard(path: Path, name: str) -> Shard:
    import pyarrow.parquet

    with whole(path, "whole Parquet"):
        schema = pyarrow.parquet.read_schema(path)
    notes = (schema.metadata or {}).get(b"huggingface", b"{}")
    info = json_object(decoded(notes, str(path)), f"{path}: notes of Hugging Face").get("info") or {}
    return Shard(path, name, schema, labels_of(info, path), partial(_batches, path))


def _batches(path: Path, columns: list[str], rows: set[int] | None) -> Iterator[tuple[int, Any]]:
    """Batches of the row groups that hold one of the rows."""
    import pyarrow.parquet

    with whole(path, "whole Parquet"), pyarrow.parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
        stop = 0
        for group in range(file.num_row_groups):
            start, stop = stop, stop + file.metadata.row_group(group).num_rows
            if rows is not None and rows.isdisjoint(range(start, stop)):
                continue
            for batch in file.iter_batches(ROWS, row_groups=[group], columns=columns, use_threads=False):
                yield start, batch
                start += len(batch)


def fingerprint(options: Options) -> str:
    """Changes with the files."""
    return image_files.fingerprint(options.path, files_of(options, ENDINGS).values())
