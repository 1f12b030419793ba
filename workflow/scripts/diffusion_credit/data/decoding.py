"""One image of a contributor, from its file's bytes to pixels."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from diffusion_credit.base.errors import UserError

MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}  # 8 bits a channel; others would clip silently


def read_image(file: Path | bytes, name: str | Path, size: int, mode: str, crop: int | None = None) -> np.ndarray:
    """One image as (size, size, channels) uint8: turned upright, on white where transparent, central square.

    file: where it lies, or its bytes. Raises UserError with the name when it is damaged, has more than 8 bits a
    channel, or is smaller than `crop`.
    """
    try:
        with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as opened:
            if opened.mode not in MODES:
                raise UserError(f"{name}: found pixels of mode {opened.mode}, expected 8 bits in each channel")
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
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        raise UserError(f"{name}: not a readable image ({error})") from None
    return np.asarray(square).reshape(size, size, -1)
