"""The training part of CIFAR's official python archives, read from the tar.gz without extracting anything.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009,
https://www.cs.toronto.edu/~kriz/cifar.html. Its files are pickles of Python 2: see restricted_unpickler.py. The sha256
digests are those that Keras checks its downloads against.
"""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import digest_of_file
from diffusion_credit.data import restricted_unpickler
from diffusion_credit.data.safe_archive import read_members

LARGEST = 1 << 28  # bytes of the tar; the official ones have 0.19e9. More is a bomb, or another data set


@dataclass(frozen=True)
class Format:
    """Where an archive keeps what: folder, training parts and names, and the keys of its pickled dicts."""

    folder: str
    parts: tuple[str, ...]
    meta: str
    names: bytes
    labels: bytes
    sha256: str


FORMATS = {
    "cifar10": Format(
        folder="cifar-10-batches-py",
        parts=tuple(f"data_batch_{number}" for number in range(1, 6)),
        meta="batches.meta",
        names=b"label_names",
        labels=b"labels",
        sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
    "cifar100": Format(
        folder="cifar-100-python",
        parts=("train",),
        meta="meta",
        names=b"fine_label_names",
        labels=b"fine_labels",
        sha256="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    ),
}


@dataclass(frozen=True)
class Archive:
    """classes, superclasses: names (the latter empty for CIFAR-10). pixels: (images, 3072) uint8, one colour after
    the other, in the order of the parts. label, coarse: (images,) index into the names. source: a text an image."""

    classes: list[str]
    superclasses: list[str]
    pixels: np.ndarray
    label: np.ndarray
    coarse: np.ndarray
    source: list[str]


def read_archive(path: str, dataset: str, sha256: str | None) -> Archive:
    """Read and check an archive. sha256: of the whole file, looked at before anything else is; None for any.

    Raises UserError naming the file and, where it is one member's fault, the member.
    """
    if not Path(path).is_file():
        raise UserError(f"data.archive: {path} is not a file, expected the archive of {dataset} (docs/data.md)")
    if sha256 is not None and (found := digest_of_file(path)) != sha256:
        raise UserError(f"{path}: found the sha256 {found}, expected {sha256} (data.sha256)")
    form = FORMATS[dataset]
    meta, *parts = _dicts(path, form, (form.meta, *form.parts))
    classes = _names(meta, form.names)
    superclasses = _names(meta, b"coarse_label_names") if dataset == "cifar100" else []
    pixels = [_pixels(part) for part in parts]
    labels = [_labels(part, form.labels, classes) for part in parts]
    coarse = [_labels(part, b"coarse_labels", superclasses) for part in parts] if superclasses else []
    return Archive(
        classes,
        superclasses,
        np.concatenate(pixels),
        np.concatenate(labels),
        np.concatenate(coarse) if coarse else np.empty(0, dtype=np.int64),
        [f"{name}[{row}]" for name, rows in zip(form.parts, labels, strict=True) for row in range(len(rows))],
    )


@dataclass(frozen=True)
class _Member:
    """A pickled dict and the name to blame for it."""

    where: str
    content: dict[Any, Any]

    def __getitem__(self, key: bytes) -> Any:
        if key not in self.content:
            raise self.error(f"no entry {key.decode()!r}", "the archive's own format")
        return self.content[key]

    def error(self, found: str, expected: str) -> UserError:
        return UserError(f"{self.where}: found {found}, expected {expected}")


def _dicts(path: str, form: Format, names: tuple[str, ...]) -> Iterator[_Member]:
    members = read_members(path, form.folder, LARGEST)
    for name in names:
        if name not in members:
            raise UserError(f"{path}: found no {form.folder}/{name}, expected the official archive's files")
        where = f"{path}, {form.folder}/{name}"
        try:
            yield _Member(where, restricted_unpickler.load(members[name]))
        except pickle.UnpicklingError as error:
            raise UserError(f"{where}: found {error}, expected a pickle of uint8 arrays, lists and texts") from None


def _names(meta: _Member, key: bytes) -> list[str]:
    names = meta[key]
    if type(names) is not list or not all(type(name) is bytes for name in names) or len(set(names)) < len(names):
        raise meta.error(f"{key.decode()} that are no names", "a list of different texts")
    return [name.decode("ascii", "backslashreplace") for name in names]


def _pixels(part: _Member) -> np.ndarray:
    pixels = part[b"data"]
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != 3072:
        raise part.error(f"data of shape {getattr(pixels, 'shape', None)}", "an array of rows of 3072 bytes")
    return pixels


def _labels(part: _Member, key: bytes, names: list[str]) -> np.ndarray:
    labels = part[key]
    if type(labels) is not list or not all(type(x) is int and 0 <= x < len(names) for x in labels):
        raise part.error(f"{key.decode()} that are no labels", f"a list of numbers below {len(names)}")
    if len(labels) != len(_pixels(part)):
        raise part.error(f"{len(labels)} {key.decode()}", f"one for each of the {len(_pixels(part))} images")
    return np.array(labels, dtype=np.int64)
