"""A folder of folders, `<contributor>/<image files>`: the contributor's name is the folder's, taken as it is."""

import hashlib
import os
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps
from pydantic import Field

from diffusion_credit.errors import UserError
from diffusion_credit.images import Images
from diffusion_credit.options import Section

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
EDGE = 1 << 21  # bytes read at either end of a file to notice that it changed; most images are smaller
MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}  # 8 bits a channel; others would clip silently


class Options(Section):
    """Any folder `<contributor>/<image files>`."""

    source: Literal["image_folder"]
    path: str = Field(
        min_length=1,
        description="The folder that holds one folder a contributor; relative to where the workflow is run.",
    )
    size: int = Field(ge=4, description="Images are cropped to their central square and resized to size x size pixels.")
    mode: Literal["L", "RGB"] = Field(default="RGB", description="Grey (L) or colour (RGB).")
    minimum_images: int = Field(default=1, ge=1, description="Contributors with fewer images take no part (logged).")


def folders(options: Options) -> list[tuple[Path, list[Path]]]:
    """Every contributor's folder with all files in it, sorted by name; hidden files and folders do not count.

    Raises UserError when data.path is not a folder.
    """
    root = Path(options.path)
    if not root.is_dir():
        raise UserError(f"data.path: {root} is not a folder, expected one that holds a folder for each contributor")
    found = []
    for folder in sorted(entry for entry in root.iterdir() if entry.is_dir() and not _hidden(entry.name)):
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
    contributors: list[str] = []
    owner: list[int] = []
    source: list[str] = []
    pixels: list[np.ndarray] = []
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
        if len(images) < options.minimum_images:
            notes.append(f"{folder}: left out, {len(images)} images, data.minimum_images is {options.minimum_images}")
            continue
        for file in images:
            source.append(file.relative_to(options.path).as_posix())
            pixels.append(read_image(file, options.size, options.mode))
            owner.append(len(contributors))
        contributors.append(folder.name)
    if not contributors:
        raise UserError(
            f"{options.path}: found no contributor with at least data.minimum_images = {options.minimum_images} images"
        )
    return Images(contributors, np.array(owner), source, np.stack(pixels), tuple(notes))


def read_image(file: Path, size: int, mode: str) -> np.ndarray:
    """One image as (size, size, channels) uint8: turned upright, on white where transparent, central square.

    Raises UserError naming the file when it is damaged, or has more than 8 bits a channel.
    """
    try:
        with Image.open(file) as opened:
            if opened.mode not in MODES:
                raise UserError(f"{file}: found pixels of mode {opened.mode}, expected 8 bits a channel")
            picture: Image.Image = ImageOps.exif_transpose(opened)
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            square = ImageOps.fit(picture.convert(mode), (size, size), Image.Resampling.LANCZOS)
    except UserError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        raise UserError(f"{file}: not a readable image ({error})") from None
    return np.asarray(square).reshape(size, size, -1)


def fingerprint(options: Options) -> str:
    """A digest that changes with the folder's files: names, sizes, and the first and last 2 MiB of each.

    Modification times do not count, so a copy of the folder is the same folder.
    """
    digest = hashlib.sha256()
    for folder, files in folders(options):
        digest.update(os.fsencode(folder.name) + b"\0")
        for file in files:
            size = file.stat().st_size
            digest.update(os.fsencode(file.relative_to(folder)) + b"\0" + str(size).encode() + b"\0")
            with file.open("rb") as stream:
                digest.update(stream.read(EDGE))
                stream.seek(max(EDGE, size - EDGE))
                digest.update(stream.read(EDGE))
    return digest.hexdigest()
