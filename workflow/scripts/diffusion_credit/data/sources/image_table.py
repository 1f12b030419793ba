"""A folder of images and a CSV that says whose they are, as ArtBench-10 and its artists."""

import os
import re
from pathlib import Path
from typing import Literal

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.tables import rows_of
from diffusion_credit.data import image_files
from diffusion_credit.data.image_files import Files, ImageOptions, folder_of, read_files, take_part
from diffusion_credit.data.images import Images

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Options(ImageOptions):
    """A folder of images, and a CSV with one row for each image."""

    source: Literal["image_table"]
    table: str = Field(min_length=1, description="The CSV. It needs a header.")
    image: str = Field(
        min_length=1,
        description="An image's file below `path`. `{column}` stands for the row's cell, as in"
        " `{split}/{label}/{name}`.",
    )
    contributor: str = Field(description="The column that names the contributor.")
    where: dict[str, str | list[str]] = Field(
        default={},
        description="Take only rows whose column has this text, or one of these texts, as in `{split:"
        " train, label: [baroque, realism]}`.",
    )


def listed(options: Options) -> Files:
    """Every contributor's images, contributors and images sorted by name, whatever the order of the rows.

    Raises UserError on a column that is not there, an empty contributor, an image that is missing, listed twice or
    not below the folder once links and `..` are followed.
    """
    root = folder_of(options).resolve()
    rows = rows_of(options.table)
    header = next(rows)
    columns = {"data.contributor": options.contributor, **{f"data.where.{key}": key for key in options.where}}
    columns |= {f"data.image: {options.image}": column for column in PLACEHOLDER.findall(options.image)}
    for key, column in columns.items():
        if header.count(column) != 1:
            times = "twice" if column in header else "nowhere"
            raise UserError(
                f"{options.table}: found the column {column!r} {times} in {','.join(header)[:200]}, expected it once"
                f" ({key})"
            )
    wanted = {column: [texts] if isinstance(texts, str) else texts for column, texts in options.where.items()}
    files: Files = {}
    seen: dict[Path, int] = {}
    for number, row in enumerate(rows, start=2):
        cells = dict(zip(header, row, strict=True))
        if any(cells[column] not in texts for column, texts in wanted.items()):
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
        seen[image] = number
        files.setdefault(contributor, []).append(path)
    if not files:
        raise UserError(f"{options.table}: found no row with {options.where}, expected at least one (data.where)")
    return {contributor: sorted(files[contributor]) for contributor in sorted(files)}


def _resolved(root: Path, name: str) -> Path:
    try:
        return Path(os.path.realpath(root / name))
    except ValueError:  # a null byte: no file
        return root


def read(options: Options) -> Images:
    """Read the listed images. Raises UserError as `listed` does, and on an image that cannot be read."""
    return read_files(listed(options), options)


def fingerprint(options: Options) -> str:
    """Changes with the table and with the images that take part."""
    files, _ = take_part(listed(options), options)
    return image_files.fingerprint(
        options.path, [Path(options.table), *(p for images in files.values() for p in images)]
    )
