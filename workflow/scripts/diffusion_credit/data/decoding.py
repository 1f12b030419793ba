"""One image of a contributor, from its file's bytes to pixels."""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from diffusion_credit.base.errors import UserError
from diffusion_credit.data.formats import readable

MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}  # 8 bits a channel; others would clip silently
MEGA = 1_000_000


class Decoded(NamedTuple):
    """pixels: (size, size, channels) uint8. frames: pictures in the file, of which the first was taken."""

    pixels: np.ndarray
    frames: int


def read_image(
    file: Path | bytes, name: str | Path, size: int, mode: str, crop: int | None = None, megapixels: float = 180
) -> Decoded:
    """One image: turned upright, on white where transparent, central square.

    file: where it lies, or its bytes. megapixels: the most that it may have, and the most megabytes of text in it.
    Raises UserError with the name when it is damaged or larger, has more than 8 bits a channel, or is smaller than
    `crop`.
    """
    # Of Pillow's own limits, the one on pixels cannot be told from damage
    Image.MAX_IMAGE_PIXELS = None
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = int(megapixels * MEGA)
    try:
        stream = io.BytesIO(file) if isinstance(file, bytes) else file
        with Image.open(stream, formats=sorted(set(readable().values()))) as opened:
            if (found := opened.width * opened.height / MEGA) > megapixels:
                raise UserError(
                    f"{name}: found {found:.4g} megapixels, expected at most data.maximum_megapixels = {megapixels:g}"
                )
            if opened.mode not in MODES or any(";16" in str(tile[3]) for tile in opened.tile):
                raise UserError(f"{name}: found more than 8 bits in a channel (mode {opened.mode}), expected 8 bits")
            frames = getattr(opened, "n_frames", 1)
            picture: Image.Image = ImageOps.exif_transpose(opened)
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            if crop:
                if min(picture.size) < crop:
                    width, height = picture.size
                    raise UserError(f"{name}: found {width} x {height} pixels, expected at least data.crop = {crop}")
                left, top = ((length - crop) // 2 for length in picture.size)
                picture = picture.crop((left, top, left + crop, top + crop))
            square = ImageOps.fit(picture.convert(mode), (size, size), Image.Resampling.LANCZOS)
    except UserError:
        raise
    except UnidentifiedImageError:  # its own text names an address in memory
        raise UserError(f"{name}: not a readable image (its format is unknown)") from None
    except PermissionError:
        raise UserError(f"{name}: permission denied, expected a file that may be read") from None
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        if "MAX_TEXT" in str(error):
            raise UserError(
                f"{name}: found more than {megapixels:g} megabytes of text in it, expected at most as many as"
                " data.maximum_megapixels"
            ) from None
        raise UserError(f"{name}: not a readable image ({error})") from None
    return Decoded(np.asarray(square).reshape(size, size, -1), frames)
