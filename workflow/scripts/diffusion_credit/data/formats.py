"""Formats of images: which files are images by their names, and which of these Pillow or a plug-in of it reads."""

from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path

from PIL import Image

# Those that only hold pixels. Pillow's others run programs (EPS), are stubs, or belong to games and instruments.
FORMATS = {"AVIF", "BMP", "DIB", "GIF", "HEIF", "JPEG", "JPEG2000", "PNG", "PPM", "QOI", "TGA", "TIFF", "WEBP"}
# Images all the same; those of HEIC are read where pillow-heif is installed
OTHERS = {
    ".ai", ".arw", ".cr2", ".cr3", ".dng", ".eps", ".exr", ".hdr", ".heic", ".heif", ".hif", ".ico", ".jxl", ".nef",
    ".orf", ".pdf", ".psd", ".raf", ".raw", ".rw2", ".svg", ".xcf",
}  # fmt: skip


@cache
def readable() -> dict[str, str]:
    """Ending of a file's name, with its point -> Pillow's name of the format, of each that can be read here."""
    with suppress(ImportError):
        import_module("pillow_heif").register_heif_opener()
    return {
        ending: name for ending, name in Image.registered_extensions().items() if name in FORMATS and name in Image.OPEN
    }


def is_image(name: str | Path) -> bool:
    """Whether a file is an image that can be read, by its name."""
    return Path(name).suffix.lower() in readable()


def is_unread_image(name: str | Path) -> bool:
    """Whether a file is an image that cannot be read here, by its name."""
    return not is_image(name) and Path(name).suffix.lower() in OTHERS


def endings() -> str:
    """The endings of images that can be read, for a sentence."""
    return " ".join(sorted(readable()))
