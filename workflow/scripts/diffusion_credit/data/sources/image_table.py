"""A folder of images and a CSV that says whose they are, as ArtBench-10 and its artists."""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.names import same_letters
from diffusion_credit.base.tables import rows_of
from diffusion_credit.data import image_files
from diffusion_credit.data.image_files import Files, folder_of, read_files, take_part
from diffusion_credit.data.images import Images
from diffusion_credit.data.listing import LeftOut, images_below
from diffusion_credit.data.table_options import TableOptions, check_columns
from diffusion_credit.data.texts import caption_of

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Options(TableOptions):
    """A folder of images, and a CSV with one row for each image."""

    source: Literal["image_table"]
    table: str = Field(min_length=1, description="The CSV. It needs a header.")
    image: str = Field(
        min_length=1,
        description="An image's file below `path`. `{column}` stands for the row's cell, as in"
        " `{split}/{label}/{name}`.",
    )

    def contributors_now(self) -> list[str]:
        return list(take_part(listed(self).files, self)[0])


class Listed(NamedTuple):
    """files: every contributor's images, contributors and images sorted by name, whatever the order of the rows.

    captions: image -> its text. known: where the images of all rows lie, of those that `where` leaves out as well.
    """

    files: Files
    captions: dict[Path, str]
    known: set[Path]


def listed(options: Options) -> Listed:
    """What the table lists.

    Raises UserError on a column that is not there, an empty contributor or caption, an image that is missing, listed
    twice or not below the folder once links and `..` are followed.
    """
    root = folder_of(options).resolve()
    rows = rows_of(options.table)
    header = next(rows)
    placeholders = [(f"data.image: {options.image}", column) for column in PLACEHOLDER.findall(options.image)]
    check_columns(options.table, header, [*options.columns().items(), *placeholders])
    files: Files = {}
    captions: dict[Path, str] = {}
    seen: dict[Path, int] = {}
    others: set[Path] = set()
    on_disk = _Names(root)
    for number, row in enumerate(rows, start=2):
        cells = dict(zip(header, row, strict=True))
        name = on_disk(PLACEHOLDER.sub(lambda match: cells[match[1]], options.image))  # noqa: B023 - called at once
        if not options.takes(cells):
            others.add(_resolved(root, name))
            continue
        where = f"{options.table}: row {number}: found the image {name!r}"
        path, image = Path(options.path) / name, _resolved(root, name)
        if not image.is_relative_to(root):
            raise UserError(f"{where}, expected a name that stays below {options.path}")
        if not os.path.isfile(image):  # pathlib's raises on names that are too long
            raise UserError(f"{where}, expected a file in {options.path}")
        if image in seen:
            raise UserError(f"{where} again, expected it only in row {seen[image]}")
        if not (contributor := cells[options.contributor]).strip():
            raise UserError(f"{where} without a contributor, expected one in the column {options.contributor}")
        if options.caption is not None:
            captions[path] = caption_of(
                cells[options.caption], f"{options.table}: row {number}", f"the column {options.caption}"
            )
        seen[image] = number
        files.setdefault(contributor, []).append(path)
    if not files:
        raise UserError(f"{options.table}: found no row with {options.where}, expected at least one (data.where)")
    return Listed({name: sorted(files[name]) for name in sorted(files)}, captions, others | set(seen))


class _Names:
    """Names of files in the form that their folders have them: Unicode writes many letters in several ways."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.listed: dict[Path, dict[str, str]] = {}  # folder -> a name in one form -> the name as it is

    def __call__(self, name: str) -> str:
        with suppress(OSError, ValueError):  # a name that is too long, or has a null byte, is no file's
            if name.isascii() or os.path.lexists(self.root / name):
                return name
            found = self.root
            for part in Path(name).parts:
                if found not in self.listed:
                    self.listed[found] = {same_letters(each): each for each in os.listdir(found)}
                exact = os.path.lexists(found / part)
                found /= part if exact else self.listed[found].get(same_letters(part), part)
            return os.path.relpath(found, self.root)
        return name


def _resolved(root: Path, name: str) -> Path:
    try:
        return Path(os.path.realpath(root / name))
    except ValueError:  # a null byte: no file
        return root


def read(options: Options) -> Images:
    """Read the listed images. Raises UserError as `listed` does, and on an image that cannot be read."""
    found = listed(options)
    left_out = LeftOut(Path(options.path))
    for image in images_below(Path(options.path)):
        if Path(os.path.realpath(image)) not in found.known:
            left_out.add(f"image(s) that {options.table} does not list", image)
    return read_files(found.files, options, found.captions, left_out.notes())


def fingerprint(options: Options) -> str:
    """Changes with the table and with the images that take part."""
    files, _ = take_part(listed(options).files, options)
    return image_files.fingerprint(
        options.path, [Path(options.table), *(p for images in files.values() for p in images)]
    )
