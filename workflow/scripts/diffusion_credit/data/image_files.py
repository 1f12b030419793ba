"""Files of images, on disk or inside of other files: what the data sources that read them share."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import files_fingerprint
from diffusion_credit.base.options import SourceSection
from diffusion_credit.base.seeds import named_seed
from diffusion_credit.data.decoding import read_image
from diffusion_credit.data.images import Images
from diffusion_credit.data.listing import examples, is_hidden

NAMED = 100  # so many of those left out are named


@dataclass(frozen=True)
class Record:
    """An image that was handed in. source: where it lies, seen from the data's folder; no other image has the same."""

    source: str
    caption: str | None = None


Files = dict[str, list[Path]]  # a contributor's image files, in the order of the game
Records = dict[str, list[Record]]  # the same for images that may lie inside of other files
# The images' files, or their bytes, with their sources: of those that are asked for, one at a time, in any order.
Contents = Callable[[Collection[str]], Iterator[tuple[str, Path | bytes]]]
T = TypeVar("T", Path, Record)


class ImageOptions(SourceSection):
    """The options of every source that reads image files, wherever they lie."""

    source: str
    path: str = Field(min_length=1, description="The folder of the images, relative to where the workflow is run.")
    size: int = Field(ge=4, description="Images are cropped to their central square and resized to size x size pixels.")
    crop: int | None = Field(
        default=None,
        ge=1,
        description="Width of the central square, in pixels of the file. Without it the square is as"
        " large as possible.",
    )
    mode: Literal["L", "RGB"] = Field(default="RGB", description="Grey (`L`) or colour (`RGB`).")
    maximum_megapixels: float = Field(
        default=180.0,
        gt=0,
        description="A file with more megapixels, or with more megabytes of text in it, is refused, because small files"
        " can unpack to sizes that no memory holds.",
    )
    minimum_images: int = Field(
        default=1, ge=1, description="Contributors with fewer images take no part. The index names them."
    )
    sample: int | None = Field(
        default=None,
        ge=2,
        description="Number of contributors to draw at random among those with enough images. Without it"
        " all of them take part.",
    )
    sample_seed: int = Field(
        default=0,
        ge=0,
        description="Seed of the draw of contributors. It is apart from the study's seed, so that another"
        " seed trains again on the same contributors.",
    )


def folder_of(options: ImageOptions) -> Path:
    """The folder of the images. Raises UserError when it is none."""
    folder = Path(options.path)
    if not folder.is_dir():
        raise UserError(f"data.path: {folder} is not a folder, expected the folder that holds the images")
    return folder


def files_of(options: ImageOptions, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Name as the index shows it -> file: `path` itself, or the files below it with these endings, sorted by name.

    Hidden files and folders do not count. Raises UserError when there is none, and on a name that is not UTF-8.
    """
    path, endings = Path(options.path), " or ".join(suffixes)
    found = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    files = {file.relative_to(_root(path)).as_posix(): file for file in found if file.name.lower().endswith(suffixes)}
    visible = {name: file for name, file in files.items() if not any(map(is_hidden, Path(name).parts))}
    if not visible:
        raise UserError(f"data.path: found no file ending in {endings} at {path}, expected one, or a folder of them")
    for file in visible.values():
        refuse_odd_name(file)
    return visible


def refuse_odd_name(path: Path) -> None:
    """Raises UserError on a name that no table can hold."""
    if os.fsencode(path) != str(path).encode(errors="replace"):
        raise UserError(f"{os.fsencode(path)!r}: found a name that is not UTF-8, please rename it")


def _root(path: Path) -> Path:
    """What the sources of images are seen from."""
    return path.parent if path.is_file() else path


def take_part(files: dict[str, list[T]], options: ImageOptions) -> tuple[dict[str, list[T]], list[str]]:
    """The contributors that take part, in the order given, and sentences about those left out.

    A draw depends on the contributors' names alone, not on their order, and a larger one contains the smaller.
    Raises UserError when no contributor, or fewer than the sample, has enough images.
    """
    enough = {name: images for name, images in files.items() if len(images) >= options.minimum_images}
    least = f"data.minimum_images = {options.minimum_images}"
    notes = []
    if not enough:
        raise UserError(f"{options.path}: found no contributor with at least {least} images")
    if few := [f"{name} ({len(images)} images)" for name, images in files.items() if name not in enough]:
        names = ", ".join(few[:NAMED]) + (f" and {len(few) - NAMED} more" if len(few) > NAMED else "")
        notes.append(f"left out {len(few)} contributors with fewer than {least} images: {names}")
    if options.sample is None:
        return enough, notes
    if options.sample > len(enough):
        raise UserError(
            f"config: data.sample: found {options.sample}, expected at most {len(enough)}, the number of"
            f" contributors with at least {least} images"
        )
    drawn = sorted(enough, key=lambda name: named_seed(options.sample_seed, "sample", name))[: options.sample]
    notes.append(f"drew {options.sample} of {len(enough)} contributors with data.sample_seed = {options.sample_seed}")
    return {name: images for name, images in enough.items() if name in drawn}, notes


def read_files(
    files: Files, options: ImageOptions, captions: Mapping[Path, str] | None = None, notes: Iterable[str] = ()
) -> Images:
    """Read the images of the contributors that take part, as `read_records` does."""
    root = Path(options.path)
    records = {
        name: [Record(path.relative_to(root).as_posix(), captions[path] if captions else None) for path in paths]
        for name, paths in files.items()
    }
    return read_records(records, options, lambda wanted: ((source, root / source) for source in wanted), notes)


def read_records(records: Records, options: ImageOptions, contents: Contents, notes: Iterable[str] = ()) -> Images:
    """Read the images of the contributors that take part; no more than one at a time is held in its full size.

    Of several frames the first is taken. Raises UserError with all images that cannot be read.
    """
    taken, left_out = take_part(records, options)
    chosen = [record for images in taken.values() for record in images]
    place = {record.source: number for number, record in enumerate(chosen)}
    pixels = np.empty((len(chosen), options.size, options.size, 3 if options.mode == "RGB" else 1), dtype=np.uint8)
    missing = set(place)
    wrong: list[str] = []
    several: list[Path] = []
    root = _root(Path(options.path))
    for source, file in contents(place):
        missing.remove(source)
        try:
            decoded = read_image(
                file, root / source, options.size, options.mode, options.crop, options.maximum_megapixels
            )
        except UserError as error:
            wrong.append(str(error))
            continue
        pixels[place[source]] = decoded.pixels
        if decoded.frames > 1:
            several.append(root / source)
    if wrong:
        more = f"; and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        many = f"{len(wrong)} of {len(chosen)} images cannot be taken: " if len(wrong) > 1 else ""
        raise UserError(many + "; ".join(wrong[:NAMED]) + more)
    if several:
        left_out.append(
            f"{len(several)} image(s) have several frames, of which the first is taken (such as"
            f" {examples(several, root)})"
        )
    if missing:
        raise UserError(f"{options.path}: {min(missing)} is gone, expected files that stay as they are while read")
    return Images(
        contributors=list(taken),
        owner=np.repeat(np.arange(len(taken)), [len(images) for images in taken.values()]),
        source=[record.source for record in chosen],
        pixels=pixels,
        notes=(*notes, *left_out),
        captions=[record.caption or "" for record in chosen] if options.captioned() else None,
    )


def fingerprint(root: str | Path, paths: Iterable[Path]) -> str:
    """A digest that changes with the files, whose names are those seen from root."""
    return files_fingerprint({os.path.relpath(path, root): path for path in paths})
