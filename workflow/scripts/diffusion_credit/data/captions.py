"""Texts of images in folders: a .txt beside each image, or metadata as Hugging Face's `imagefolder` has it."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.names import same_letters
from diffusion_credit.base.tables import rows_of
from diffusion_credit.data.table_options import check_columns
from diffusion_credit.data.texts import caption_of, json_object, read_text

Rows = Iterator[tuple[str, object, object]]  # where a row stands, the name of an image's file, its text
COLUMNS = [("data.captions", "file_name"), ("data.captions", "text")]


def metadata_of(root: Path, others: Iterable[Path]) -> list[Path]:
    """The files of metadata directly in the folder, or among the contributors' files."""
    return [file for file in (*(root / name for name in READERS), *others) if file.name in READERS and file.is_file()]


def captions_of(root: Path, images: list[Path], others: list[Path]) -> tuple[dict[Path, str], set[Path]]:
    """Image -> its caption, and the files that were used. images, others: the files in all contributors' folders.

    Raises UserError where an image has no caption or several, or a caption no image.
    """
    metadata, texts = metadata_of(root, others), _texts_beside(images, others)
    ways: dict[str, Path] = {}
    for file in (*metadata, *texts):
        ways.setdefault(".txt" if file in texts else file.name, file)
    if len(ways) > 1:
        found = " and ".join(str(file) for file in ways.values())
        raise UserError(f"{root}: found captions in {found}, expected all of them in files of one kind")
    captions = _from_metadata(metadata, images) if metadata else _from_texts(texts)
    for image in images:
        if image not in captions:
            wanted = f"a row in {metadata[0]}" if metadata else f"{image.stem}.txt beside it or a metadata.jsonl"
            raise UserError(f"{image}: found no caption, expected {wanted} (data.captions)")
    return captions, {*metadata, *texts}


def _texts_beside(images: list[Path], others: list[Path]) -> dict[Path, list[Path]]:
    """Text file -> the images beside it that have its name but for the ending."""
    by_stem = {_alike(file.with_suffix("")): file for file in others if file.suffix.lower() == ".txt"}
    beside: dict[Path, list[Path]] = {}
    for image in images:
        if text := by_stem.get(_alike(image.with_suffix(""))):
            beside.setdefault(text, []).append(image)
    return beside


def _alike(path: Path) -> str:
    """A path in the one form that all ways of writing it have."""
    return same_letters(os.path.normpath(path))


def _from_texts(texts: dict[Path, list[Path]]) -> dict[Path, str]:
    captions = {}
    for text, images in texts.items():
        if len(images) > 1:
            raise UserError(f"{text}: found it beside {images[0].name} and {images[1].name}, expected one image a text")
        captions[images[0]] = caption_of(read_text(text), str(text), "it")
    return captions


def _from_metadata(metadata: list[Path], images: list[Path]) -> dict[Path, str]:
    captions: dict[Path, str] = {}
    known = {_alike(image): image for image in images}
    for file in metadata:
        for where, name, text in READERS[file.name](file):
            image = known.get(_alike(file.parent / name)) if isinstance(name, str) else None
            if image is None:
                raise UserError(
                    f"{where}: found the file_name {name!r}, expected a contributor's image in {file.parent}"
                )
            if image in captions:
                raise UserError(f"{where}: found the file_name {name!r} again, expected every image once")
            captions[image] = caption_of(text, where, "the column text")
    return captions


def _json_rows(file: Path) -> Rows:
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if line.strip():
            row = json_object(line, where := f"{file}: row {number}")
            check_columns(where, list(row), COLUMNS)
            yield where, row["file_name"], row["text"]


def _csv_rows(file: Path) -> Rows:
    rows = rows_of(file)
    header = next(rows)
    check_columns(file, header, COLUMNS)
    for number, row in enumerate(rows, start=2):
        yield f"{file}: row {number}", row[header.index("file_name")], row[header.index("text")]


READERS: dict[str, Callable[[Path], Rows]] = {"metadata.jsonl": _json_rows, "metadata.csv": _csv_rows}
