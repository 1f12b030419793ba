"""The files in a folder of images. What is left out is named by its kind: no image vanishes without a word."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.names import printable
from diffusion_credit.data.formats import is_image, is_unread_image

SHOWN = 3  # examples of each kind
NO_IMAGE = "file(s) that are no images"
UNREAD = "image(s) in a format that is not read"
HIDDEN = "hidden file(s) or folder(s)"
SYSTEM = "thumbnail(s) and other leftovers of a system"
NOWHERE = "link(s) that lead nowhere"
AGAIN = "link(s) to what is read already"
SPECIAL = "pipe(s), socket(s) or device(s)"
BESIDE = "file(s) beside the contributors' folders, which belong to nobody"
OF_SYSTEMS = {
    "#recycle", "$recycle.bin", "@eadir", "__macosx", "desktop.ini", "ehthumbs.db", "icon\r", "lost+found",
    "system volume information", "thumbs.db",
}  # fmt: skip


class LeftOut:
    """Kind -> what was left out. root: the folder that names are seen from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.found: dict[str, list[Path]] = {}

    def add(self, kind: str, path: Path) -> None:
        self.found.setdefault(kind, []).append(path)

    def notes(self) -> list[str]:
        """A sentence for each kind."""
        return [
            f"left out {len(paths)} {kind} (such as {examples(paths, self.root)})" for kind, paths in self.found.items()
        ]


def examples(paths: list[Path], root: Path) -> str:
    """The first of some files, for a sentence."""
    return ", ".join(printable(os.path.relpath(path, root)) for path in paths[:SHOWN])


class Sorted(NamedTuple):
    """images: those that can be read. others: files that are no images at all."""

    images: list[Path]
    others: list[Path]


def sorted_out(files: list[Path], left_out: LeftOut) -> Sorted:
    """Images, and other files. Images in formats that are not read are left out."""
    found = Sorted([], [])
    for file in files:
        if is_image(file):
            found.images.append(file)
        elif is_unread_image(file):
            left_out.add(UNREAD, file)
        else:
            found.others.append(file)
    return found


def entries(folder: Path, left_out: LeftOut) -> Iterator[os.DirEntry[str]]:
    """What lies directly in a folder, sorted by name, but for what is hidden, a system's, or neither file nor folder.

    Raises UserError where the folder may not be read.
    """
    try:
        with os.scandir(folder) as scanned:
            found = sorted(scanned, key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(
            f"{folder}: {(error.strerror or 'not readable').lower()}, expected a folder that may be read"
        ) from None
    for entry in found:
        if is_hidden(entry.name):
            left_out.add(HIDDEN, Path(entry.path))
        elif entry.name.lower() in OF_SYSTEMS:
            left_out.add(SYSTEM, Path(entry.path))
        elif _leads_somewhere(entry):
            yield entry
        else:
            left_out.add(NOWHERE if entry.is_symlink() else SPECIAL, Path(entry.path))


def _leads_somewhere(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file or a folder, or a link to one."""
    try:
        return entry.is_dir() or entry.is_file()
    except OSError:  # links in a circle
        return False


def is_hidden(name: str) -> bool:
    """Dot files, but not a contributor whose name happens to begin with two dots."""
    return name.startswith(".") and not name.startswith("..")


def files_below(folder: Path, left_out: LeftOut) -> list[Path]:
    """All files in a folder and the folders in it, sorted. Links are followed, each file and folder is read once."""
    found: list[Path] = []
    links: list[Path] = []
    waiting, known = [folder], {os.path.realpath(folder)}
    while waiting or links:
        if waiting:
            for entry in entries(waiting.pop(), left_out):
                path = Path(entry.path)
                if entry.is_symlink():
                    links.append(path)  # last, so that what a link leads to is found in its own place
                elif entry.is_dir():
                    waiting.append(path)
                    known.add(os.path.realpath(path))
                else:
                    found.append(path)
                    known.add(os.path.realpath(path))
            links.sort(reverse=True)
            continue
        link = links.pop()
        if (real := os.path.realpath(link)) in known:
            left_out.add(AGAIN, link)
            continue
        known.add(real)
        (waiting if link.is_dir() else found).append(link)
    return sorted(found)
