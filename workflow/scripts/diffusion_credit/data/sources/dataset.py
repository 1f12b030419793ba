"""A data set of Hugging Face's `datasets` on disk, as its `save_to_disk` writes it: Arrow files and what they hold."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.plugins import require_package
from diffusion_credit.data import image_files
from diffusion_credit.data.images import Images
from diffusion_credit.data.rows import RowOptions, Shard, labels_of, read_rows, whole
from diffusion_credit.data.texts import json_object, read_text

END = b"\xff\xff\xff\xff\0\0\0\0"  # of an Arrow stream; pyarrow takes the end of a file for one, too
SPLITS, STATE, INFO = "dataset_dict.json", "state.json", "dataset_info.json"


class Options(RowOptions):
    """A folder that `save_to_disk` of Hugging Face's `datasets` wrote."""

    source: Literal["dataset"]
    path: str = Field(
        min_length=1,
        description="The folder that `save_to_disk` wrote, relative to where the workflow is run.",
    )
    split: str | None = Field(
        default=None, min_length=1, description="Which part to read, where the folder holds several, such as `train`."
    )


def _folder(options: Options) -> Path:
    """The folder of the part to read. Raises UserError where `split` is missing, unknown or of no use."""
    path = Path(options.path)
    if not (path / SPLITS).is_file():
        if not (path / STATE).is_file():
            raise UserError(f"data.path: found no {STATE} in {path}, expected a folder that `save_to_disk` wrote")
        if options.split is not None:
            raise UserError(f"data.split: found {options.split!r}, expected none, because {path} holds a single part")
        return path
    splits = json_object(read_text(path / SPLITS), str(path / SPLITS)).get("splits")
    known = [str(split) for split in splits] if isinstance(splits, list) else []
    if options.split not in known:
        found = "not found" if options.split is None else f"found {options.split!r}"
        raise UserError(f"data.split: {found}, expected one of the parts of {path}: {', '.join(known)}")
    return _inside(path, options.split, path / SPLITS)


def _inside(folder: Path, name: object, file: Path) -> Path:
    """What a file names in its folder. Raises UserError where it names something elsewhere."""
    if not isinstance(name, str) or Path(name).name != name:
        raise UserError(f"{file}: found {name!r}, expected a name in its own folder")
    return folder / name


def _files(folder: Path) -> list[Path]:
    """The folder's Arrow files, in their order. Raises UserError where one is missing."""
    listed = json_object(read_text(folder / STATE), str(folder / STATE)).get("_data_files")
    if not isinstance(listed, list) or not all(isinstance(each, dict) and "filename" in each for each in listed):
        raise UserError(
            f"{folder / STATE}: found no list _data_files of a filename each, expected what `datasets` writes"
        )
    files = [_inside(folder, each["filename"], folder / STATE) for each in listed]
    for file in files:
        if not file.is_file():
            raise UserError(f"{file}: not found, although {folder / STATE} names it")
    return files


def read(options: Options) -> Images:
    """Read the rows' images. Raises UserError as `read_rows` does, on a folder of another kind, and without pyarrow."""
    require_package("pyarrow", "parquet", "data.source: dataset")
    import pyarrow

    folder = _folder(options)
    labels = labels_of(json_object(read_text(folder / INFO), str(folder / INFO)), folder / INFO)
    shards = []
    for file in _files(folder):
        with whole(file, "a whole Arrow stream"), pyarrow.memory_map(str(file)) as content:
            schema = pyarrow.ipc.open_stream(content).schema
        name = file.relative_to(options.path).as_posix()
        shards.append(Shard(file, name, schema, labels, partial(_batches, file)))
    return read_rows(shards, options)


def _batches(path: Path, columns: list[str], rows: set[int] | None) -> Iterator[tuple[int, Any]]:
    """The batches as they were written. They stay on the disk until a cell is read."""
    import pyarrow

    with whole(path, "a whole Arrow stream"), pyarrow.memory_map(str(path)) as content:
        start = 0
        for batch in pyarrow.ipc.open_stream(content):
            yield start, batch.select(columns)
            start += len(batch)
        content.seek(content.size() - len(END))
        if content.read() != END:
            raise UserError(f"{path}: found no end of its rows, expected a whole file")


def fingerprint(options: Options) -> str:
    """Changes with the files."""
    folder = _folder(options)
    return image_files.fingerprint(options.path, [folder / STATE, folder / INFO, *_files(folder)])
