"""Files in the IDX format: an array of bytes after a short header, compressed by gzip or not.

Sources: Y. LeCun, C. Cortes and C. Burges, The MNIST database of handwritten digits (the format is described at its
end); H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, 2017, arXiv 1708.07747. The sha256 digests are of the
uncompressed files, as packagers compress them anew.
"""

import gzip
import hashlib
import math
import zlib
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from diffusion_credit.base.errors import UserError

LARGEST = 1 << 31  # bytes; the official ones have 0.05e9. More is a bomb, or another data set
UINT8 = 8  # its number in a header


@dataclass(frozen=True)
class Official:
    """The training part of a published data set: names of its classes, and digests of its two files."""

    classes: tuple[str, ...]
    images: str
    labels: str


OFFICIAL = {
    "mnist": Official(
        tuple(f"digit {digit}" for digit in range(10)),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "fashion_mnist": Official(
        ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
}


def read_idx(path: str, dimensions: int, sha256: str | None, key: str) -> np.ndarray:
    """The uint8 array of a file. dimensions: that it must have. sha256: of the uncompressed file; None for any.

    Raises UserError naming the file, or the key of the configuration that names it, when it is anything else: it is
    read no further than its header says, so that a bomb does no harm.
    """
    try:
        with open(path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            with gzip.open(raw) if packed else raw as stream:
                return _array(stream, path, dimensions, sha256)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path}: found a damaged gzip file ({error}), expected a whole one") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"data.{key}: {path}: {reason}, expected a file in the IDX format (docs/data.md)") from None


def _array(stream: BinaryIO | gzip.GzipFile, path: str, dimensions: int, sha256: str | None) -> np.ndarray:
    head = stream.read(4 + 4 * dimensions)
    if len(head) < 4 or head[:2] != b"\0\0":
        raise UserError(f"{path}: found {head[:4]!r} at its start, expected two zeros as in the IDX format")
    if head[2] != UINT8 or head[3] != dimensions:
        raise UserError(
            f"{path}: found an array of type {head[2]} with {head[3]} dimensions, expected bytes (type {UINT8}) with"
            f" {dimensions}"
        )
    if len(head) < 4 + 4 * dimensions:
        raise UserError(f"{path}: found the end of the file in its header, expected the array's size")
    shape = tuple(int(size) for size in np.frombuffer(head, ">u4", offset=4))
    if not 0 < math.prod(shape) <= LARGEST:
        size = " x ".join(map(str, shape))
        raise UserError(f"{path}: found a header of {size} bytes, expected between 1 and {LARGEST} bytes")
    content = stream.read(math.prod(shape))
    if len(content) < math.prod(shape):
        raise UserError(f"{path}: found {len(content)} bytes after its header, expected {math.prod(shape)}")
    if stream.read(1):
        raise UserError(f"{path}: found more than the {math.prod(shape)} bytes that its header says")
    if sha256 is not None and (found := hashlib.sha256(head + content).hexdigest()) != sha256:
        raise UserError(
            f"{path}: found the sha256 {found} of its uncompressed content, expected {sha256} (data.dataset)"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)
