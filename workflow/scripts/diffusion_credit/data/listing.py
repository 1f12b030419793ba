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
AROUND = "link(s) that lead back to a folder around them"
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
    inside = os.path.realpath(folder)
    waiting, known = [folder], {inside}
    while waiting or links:
        if not waiting:  # last, so that what a link leads to is found in its own place
            link = links.pop(0)
            if inside.startswith(os.path.join(os.path.realpath(link), "")):
                left_out.add(AROUND, link)
            else:
                _take(link, known, waiting, found, left_out)
            continue
        for entry in entries(waiting.pop(), left_out):
            path = Path(entry.path)
            if entry.is_symlink():
                links.append(path)
            else:
                _take(path, known, waiting, found, left_out)
        links.sort()
    return sorted(found)


def _take(path: Path, known: set[str], folders: list[Path], files: list[Path], left_out: LeftOut) -> None:
    """Put a folder or a file where it belongs, unless it is known already."""
    real = os.path.realpath(path)
    if real in known:
        left_out.add(AGAIN, path)
        return
    known.add(real)
    (folders if path.is_dir() else files).append(path)


def images_below(folder: Path) -> list[Path]:
    """Images in a folder and the folders in it. No link is followed, and what may not be read is passed over."""
    found = []
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_hidden(name) and name.lower() not in OF_SYSTEMS]
        found += [Path(where) / name for name in files if is_image(name) and not is_hidden(name)]
    return sorted(found)
