"""The index of a study: who owns which image."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import digest_of, digest_of_file, read_json, replacing, write_json
from diffusion_credit.base.names import look_alike
from diffusion_credit.base.tables import read_csv, write_csv
from diffusion_credit.data.images import Images, pixel_digests
from diffusion_credit.data.oddities import oddities_of


def shared_pictures(digests: list[str], owner: Iterable[int]) -> list[list[int]]:
    """Images of each picture that several contributors have: its first of each of them."""
    owners: dict[str, dict[int, int]] = {}
    for image, (digest, player) in enumerate(zip(digests, owner, strict=True)):
        owners.setdefault(digest, {}).setdefault(int(player), image)
    return [list(images.values()) for images in owners.values() if len(images) > 1]


def notes_of(images: Images, digests: list[str]) -> list[str]:
    """What was left out, names that look alike, pictures of several contributors, near copies, blanks and noise."""
    notes = [*images.notes]
    if text := look_alike(images.contributors):
        notes.append(text)
    if shared := shared_pictures(digests, images.owner):
        first = " and ".join(images.source[i] for i in shared[0][:2])
        notes.append(
            f"{len(shared)} picture(s) are those of more than one contributor; each keeps its own copy (the first:"
            f" {first}; index.csv has equal sha256 for the others)"
        )
    return [*notes, *oddities_of(images, digests)]


def write_index(images: Images, table: Path, pixels: Path, summary: Path) -> list[str]:
    """Write index.csv (one row an image), pixels.npy and index.json; return sentences to warn about.

    Raises UserError when fewer than two contributors take part: there is nothing to divide.
    """
    if len(images.contributors) < 2:
        raise UserError(f"data: found {len(images.contributors)} contributor(s), expected at least two to share credit")
    counts = np.bincount(images.owner, minlength=len(images.contributors))
    if (counts == 0).any():
        raise UserError(f"data: contributor {images.contributors[int(counts.argmin())]!r} has no image")
    digests = pixel_digests(images.pixels)
    notes = notes_of(images, digests)
    with replacing(pixels) as temporary, temporary.open("wb") as stream:
        np.save(stream, images.pixels, allow_pickle=False)
    write_table(images, digests, table)
    write_json(
        summary,
        {
            "contributors": [
                {"name": name, "images": int(n)} for name, n in zip(images.contributors, counts, strict=True)
            ],
            "shape": list(images.pixels.shape[1:]),
            "pixels": digest_of_file(pixels),
            "notes": notes,
            # whatever depends on the texts depends on this file
            **({} if images.captions is None else {"captions": digest_of(images.captions)}),
        },
    )
    return notes


def write_table(images: Images, digests: list[str], table: Path) -> None:
    """Write one row an image."""
    columns = [[images.contributors[i] for i in images.owner], images.source, digests]
    header = ["image", "contributor", "source", "sha256"]
    if images.captions is not None:
        columns.append(images.captions)
        header.append("caption")
    if images.labels is not None:
        columns.append([str(label) for label in images.labels])
        header.append("label")
    write_csv(table, header, [(i, *row) for i, row in enumerate(zip(*columns, strict=True))])


def _cells(rows: list[list[str]], header: list[str], column: str) -> list[str] | None:
    """A column that not every index has."""
    return [row[header.index(column)] for row in rows] if column in header else None


class Index:
    """What later stages need of index.json and, beside it, index.csv."""

    def __init__(self, path: str | Path) -> None:
        summary: dict[str, Any] = read_json(path)
        self.contributors: list[str] = [entry["name"] for entry in summary["contributors"]]
        self.counts = np.array([entry["images"] for entry in summary["contributors"]])
        number = {name: i for i, name in enumerate(self.contributors)}
        header, rows = read_csv(Path(path).with_suffix(".csv"))
        self.owner = np.array([number[row[1]] for row in rows])
        self.source = [row[2] for row in rows]
        # what tells images apart where each is a contributor of its own
        self.labels = self.owner if (label := _cells(rows, header, "label")) is None else np.array(label, dtype=int)
        self.captions = _cells(rows, header, "caption")
        self.shape: tuple[int, int, int] = tuple(summary["shape"])
        self.pixels_digest: str = summary["pixels"]

    def images_of(self, members: np.ndarray) -> np.ndarray:
        """Indices of all images that belong to the subset (n,) bool, in the order of the index."""
        return np.flatnonzero(members[self.owner])
