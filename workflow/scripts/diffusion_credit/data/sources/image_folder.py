"""A folder of folders, `<contributor>/<image files>`: the contributor's name is the folder's, taken as it is."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.data import image_files
from diffusion_credit.data.image_files import SUFFIXES, Files, ImageOptions, folder_of, read_files
from diffusion_credit.data.images import Images


class Options(ImageOptions):
    """A folder with one folder for each contributor: `<contributor>/<image files>`."""

    source: Literal["image_folder"]
    path: str = Field(
        min_length=1,
        description="The folder that holds one folder for each contributor, relative to where the workflow is run.",
    )


def folders(options: Options) -> list[tuple[Path, list[Path]]]:
    """Every contributor's folder with all files in it, sorted by name; hidden files and folders do not count.

    Raises UserError when data.path is not a folder.
    """
    found = []
    for folder in sorted(entry for entry in folder_of(options).iterdir() if entry.is_dir() and not _hidden(entry.name)):
        files = [file for file in folder.rglob("*") if file.is_file()]
        visible = [file for file in files if not any(_hidden(part) for part in file.relative_to(folder).parts)]
        found.append((folder, sorted(visible)))
    return found


def _hidden(name: str) -> bool:
    """Dot files, but not a contributor whose name happens to begin with two dots."""
    return name.startswith(".") and not name.startswith("..")


def read(options: Options) -> Images:
    """Read every contributor's images, in the order of names.

    Raises UserError on a missing folder, a contributor's empty folder, an unreadable image.
    """
    contributors: Files = {}
    notes: list[str] = []
    for folder, files in folders(options):
        for path in (folder, *files):
            if os.fsencode(path) != str(path).encode(errors="replace"):
                raise UserError(f"{os.fsencode(path)!r}: found a name that is not UTF-8, please rename it")
        images = [file for file in files if file.suffix.lower() in SUFFIXES]
        if not images:
            raise UserError(f"{folder}: found no image, expected files ending in {' '.join(sorted(SUFFIXES))}")
        if len(files) > len(images):
            notes.append(f"{folder}: left out {len(files) - len(images)} files that are no images")
        contributors[folder.name] = images
    return read_files(contributors, options, notes)


def fingerprint(options: Options) -> str:
    """A digest that changes with the folder's files."""
    paths = [path for folder, files in folders(options) for path in (folder, *files)]
    return image_files.fingerprint(options.path, paths)
