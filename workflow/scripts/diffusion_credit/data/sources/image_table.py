"""A folder of images and a CSV that says whose they are, as ArtBench-10 and its artists."""

import os
import re
from pathlib import Path
from typing import Literal

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.tables import rows_of
from diffusion_credit.data import image_files
from diffusion_credit.data.image_files import Files, folder_of, read_files, take_part
from diffusion_credit.data.images import Images
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


def listed(options: Options) -> tuple[Files, dict[Path, str]]:
    """Every contributor's images, contributors and images sorted by name, whatever the order of the rows; captions.

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
    for number, row in enumerate(rows, start=2):
        cells = dict(zip(header, row, strict=True))
        if not options.takes(cells):
            continue
        name = PLACEHOLDER.sub(lambda match: cells[match[1]], options.image)  # noqa: B023 - called at once
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
    return {contributor: sorted(files[contributor]) for contributor in sorted(files)}, captions


def _resolved(root: Path, name: str) -> Path:
    try:
        return Path(os.path.realpath(root / name))
    except ValueError:  # a null byte: no file
        return root


def read(options: Options) -> Images:
    """Read the listed images. Raises UserError as `listed` does, and on an image that cannot be read."""
    files, captions = listed(options)
    return read_files(files, options, captions)


def fingerprint(options: Options) -> str:
    """Changes with the table and with the images that take part."""
    files, _ = take_part(listed(options)[0], options)
    return image_files.fingerprint(
        options.path, [Path(options.table), *(p for images in files.values() for p in images)]
    )
