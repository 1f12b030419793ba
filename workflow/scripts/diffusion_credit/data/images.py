"""Images as they are kept: indexed pixels of the training data, and zips of PNGs of generated ones.

One file an image kills a cluster's file system, and an array cannot be opened by people; a stored (not
compressed) zip of PNGs is one file a model that every desktop opens.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import replacing

ZIP = "images.zip"


@dataclass(frozen=True)
class Images:
    """Training images with their contributors.

    contributors: n distinct names, in the order of the game. owner: (images,) index into them.
    source: where each image came from. pixels: (images, height, width, channels) uint8.
    notes: sentences about what was left out, for the log. labels: (images,) whose they are where each image is a
    contributor of its own; None: as owner. captions: one text an image, where there are texts.
    """

    contributors: list[str]
    owner: np.ndarray
    source: list[str]
    pixels: np.ndarray
    notes: tuple[str, ...] = ()
    labels: np.ndarray | None = None
    captions: list[str] | None = None


def pixel_digests(pixels: np.ndarray) -> list[str]:
    """sha256 of each image's decoded pixels: equal for equal pictures, whatever their file format."""
    return [hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest() for image in pixels]


def open_pixels(path: str | Path) -> np.ndarray:
    """The memory-mapped (images, height, width, channels) uint8 array of an index."""
    try:
        pixels: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: found something that is not an array of pixels ({error})") from None
    return pixels


def to_uint8(images: np.ndarray) -> np.ndarray:
    """From [-1, 1] float (images, channels, height, width) to uint8 (images, height, width, channels)."""
    return np.rint((np.clip(images, -1, 1) + 1) * 127.5).astype(np.uint8).transpose(0, 2, 3, 1)


def to_float(pixels: np.ndarray) -> np.ndarray:
    """From uint8 (images, height, width, channels) to [-1, 1] float32 (images, channels, height, width)."""
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), dtype=np.float32) / 127.5 - 1


def to_picture(pixels: np.ndarray) -> Image.Image:
    """One (height, width, channels) uint8 array, of 1 or 3 channels, as a picture."""
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def write_zip(path: str | Path, pixels: np.ndarray) -> None:
    """Write uint8 images as 00000.png, 00001.png, ... The same pixels give the same bytes."""
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for number, image in enumerate(pixels):
            stream = io.BytesIO()
            to_picture(image).save(stream, "PNG")
            # A ZipInfo of its own carries the fixed date 1980-01-01 instead of the clock's.
            archive.writestr(zipfile.ZipInfo(f"{number:05d}.png"), stream.getvalue())


def read_zip(path: str | Path) -> np.ndarray:
    """The images of a zip as (images, height, width, channels) uint8. Raises UserError on a damaged file."""
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in sorted(archive.namelist())]
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: found something that is not a zip of PNGs ({error})") from None
    if not arrays:
        raise UserError(f"{path}: found no image in it")
    pixels = np.stack(arrays)
    return pixels[..., None] if pixels.ndim == 3 else pixels
