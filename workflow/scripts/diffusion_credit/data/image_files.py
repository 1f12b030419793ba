"""Files of images on disk: what the data sources that read them share."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps
from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import files_fingerprint
from diffusion_credit.base.options import Section
from diffusion_credit.base.seeds import named_seed
from diffusion_credit.data.images import Images

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}  # 8 bits a channel; others would clip silently
NAMED = 100  # so many of those left out are named

Files = dict[str, list[Path]]  # a contributor's image files, in the order of the game


class ImageOptions(Section):
    """The options of every source that reads image files."""

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


def take_part(files: Files, options: ImageOptions) -> tuple[Files, list[str]]:
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


def read_files(files: Files, options: ImageOptions, notes: Iterable[str] = ()) -> Images:
    """Read the images of the contributors that take part. Raises UserError on an image that cannot be read."""
    files, left_out = take_part(files, options)
    paths = [path for images in files.values() for path in images]
    channels = 3 if options.mode == "RGB" else 1
    pixels = np.empty((len(paths), options.size, options.size, channels), dtype=np.uint8)
    for number, path in enumerate(paths):
        pixels[number] = read_image(path, options.size, options.mode, options.crop)
    return Images(
        contributors=list(files),
        owner=np.repeat(np.arange(len(files)), [len(images) for images in files.values()]),
        source=[path.relative_to(options.path).as_posix() for path in paths],
        pixels=pixels,
        notes=(*notes, *left_out),
    )


def read_image(file: Path, size: int, mode: str, crop: int | None = None) -> np.ndarray:
    """One image as (size, size, channels) uint8: turned upright, on white where transparent, central square.

    Raises UserError naming the file when it is damaged, has more than 8 bits a channel, or is smaller than `crop`.
    """
    try:
        with Image.open(file) as opened:
            if opened.mode not in MODES:
                raise UserError(f"{file}: found pixels of mode {opened.mode}, expected 8 bits in each channel")
            picture: Image.Image = ImageOps.exif_transpose(opened)
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            if crop:
                if min(picture.size) < crop:
                    width, height = picture.size
                    raise UserError(f"{file}: found {width} x {height} pixels, expected at least data.crop = {crop}")
                left, top = ((length - crop) // 2 for length in picture.size)
                picture = picture.crop((left, top, left + crop, top + crop))
            square = ImageOps.fit(picture.convert(mode), (size, size), Image.Resampling.LANCZOS)
    except UserError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        raise UserError(f"{file}: not a readable image ({error})") from None
    return np.asarray(square).reshape(size, size, -1)


def fingerprint(root: str | Path, paths: Iterable[Path]) -> str:
    """A digest that changes with the files, whose names are those seen from root."""
    return files_fingerprint({os.path.relpath(path, root): path for path in paths})
