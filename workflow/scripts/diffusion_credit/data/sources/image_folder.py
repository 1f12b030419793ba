"""A folder of folders, `<contributor>/<image files>`: the contributor's name is the folder's, taken as it is."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.data import image_files
from diffusion_credit.data.captions import captions_of, metadata_of
from diffusion_credit.data.image_files import SUFFIXES, Files, ImageOptions, folder_of, read_files, refuse_odd_name
from diffusion_credit.data.images import Images


class Options(ImageOptions):
    """A folder with one folder for each contributor: `<contributor>/<image files>`."""

    source: Literal["image_folder"]
    path: str = Field(
        min_length=1,
        description="The folder that holds one folder for each contributor, relative to where the workflow is run.",
    )
    captions: bool = Field(
        default=False,
        description="Give each image a text: of a `.txt` beside it with its name, or of `metadata.jsonl` or"
        " `metadata.csv` with `file_name` and `text`, in `path` or in a contributor's folder.",
    )

    def captioned(self) -> bool:
        return self.captions


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


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES


def read(options: Options) -> Images:
    """Read every contributor's images, in the order of names.

    Raises UserError on a missing folder, a contributor's empty folder, an unreadable image, and as `captions_of` does.
    """
    contributors: Files = {}
    others: dict[Path, list[Path]] = {}
    for folder, files in folders(options):
        for path in (folder, *files):
            refuse_odd_name(path)
        images = [file for file in files if _is_image(file)]
        if not images:
            raise UserError(f"{folder}: found no image, expected files ending in {' '.join(sorted(SUFFIXES))}")
        contributors[folder.name] = images
        others[folder] = [file for file in files if not _is_image(file)]
    captions, used = None, set[Path]()
    if options.captions:
        captions, used = captions_of(
            Path(options.path),
            [image for images in contributors.values() for image in images],
            [file for files in others.values() for file in files],
        )
    left_out = {folder: len([file for file in files if file not in used]) for folder, files in others.items()}
    notes = [f"{folder}: left out {count} files that are no images" for folder, count in left_out.items() if count]
    return read_files(contributors, options, captions, notes)


def fingerprint(options: Options) -> str:
    """A digest that changes with the folder's files."""
    paths = [path for folder, files in folders(options) for path in (folder, *files)]
    metadata = metadata_of(Path(options.path), ()) if options.captions else []
    return image_files.fingerprint(options.path, [*metadata, *paths])
