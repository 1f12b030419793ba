"""CIFAR-10 and CIFAR-100: contributors are classes, or single images."""

import difflib
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import SourceSection
from diffusion_credit.data import image_files
from diffusion_credit.data.cifar_archive import FORMATS, Archive, read_archive
from diffusion_credit.data.images import Images


def _sha256(text: str) -> str:
    if text != "official" and (len(text) != 64 or set(text) - set("0123456789abcdef")):
        raise ValueError("official, null, or 64 digits of 0-9 and a-f")
    return text


class Options(SourceSection):
    """The training part of CIFAR-10 or CIFAR-100, from the official python archive as it was downloaded."""

    source: Literal["cifar"]
    dataset: Literal["cifar10", "cifar100"] = Field(description="Which of the two data sets.")
    archive: str = Field(
        min_length=1,
        description="The file `cifar-10-python.tar.gz` or `cifar-100-python.tar.gz`, as it was downloaded"
        " (docs/data.md).",
    )
    sha256: Annotated[str, AfterValidator(_sha256)] | None = Field(
        default="official",
        description="Digest that the archive must have: `official`, one of your own, or null for any. The"
        " index notes it.",
    )
    players: Literal["class", "image"] = Field(
        default="class",
        description="Whether the contributors are classes, or single images with names like `00042 frog`.",
    )
    superclasses: list[str] | None = Field(
        default=None, min_length=1, description="Superclasses of CIFAR-100 whose classes take part. Without it all do."
    )
    classes: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Classes that take part. Without it all do. Beside `superclasses` it must list"
        " exactly their classes.",
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.superclasses and self.dataset == "cifar10":
            raise ValueError(f"superclasses: found {self.superclasses}, expected none, because cifar10 has none")
        return self


def read(options: Options) -> Images:
    """Read the chosen classes' images (32, 32, 3), in the archive's order; classes are in the order of its names.

    Raises UserError on another checksum, an archive that is damaged or does more than hold data, unknown names.
    """
    sha256 = FORMATS[options.dataset].sha256 if options.sha256 == "official" else options.sha256
    archive = read_archive(options.archive, options.dataset, sha256)
    classes = _classes(options, archive)
    chosen = np.flatnonzero(np.isin(archive.label, classes))
    missing = [archive.classes[i] for i in classes if i not in archive.label]
    if missing:
        raise UserError(f"{options.archive}: found no image of {', '.join(missing)}, expected images of every class")
    rows = archive.pixels[chosen].reshape(-1, 3, 32, 32)
    if options.players == "image":
        contributors = [f"{i:05d} {archive.classes[archive.label[i]]}" for i in chosen]
        owner = np.arange(len(chosen))
    else:
        contributors = [archive.classes[i] for i in classes]
        owner = np.searchsorted(classes, archive.label[chosen])
    return Images(
        contributors,
        owner,
        [archive.source[i] for i in chosen],
        np.ascontiguousarray(rows.transpose(0, 2, 3, 1)),
        () if sha256 else (f"{options.archive}: its checksum was not looked at (data.sha256 is null)",),
    )


def _classes(options: Options, archive: Archive) -> list[int]:
    """Labels of the classes that take part, ascending."""
    wanted = options.classes and _numbers(options.archive, "class", options.classes, archive.classes)
    if not options.superclasses:
        return wanted or list(range(len(archive.classes)))
    pairs = {(int(fine), int(coarse)) for fine, coarse in zip(archive.label, archive.coarse, strict=True)}
    for label, name in enumerate(archive.classes):
        if len(found := [archive.superclasses[coarse] for fine, coarse in sorted(pairs) if fine == label]) > 1:
            raise UserError(
                f"{options.archive}: found the class {name} in {' and '.join(found)}, expected it in only one"
            )
    chosen = _numbers(options.archive, "superclass", options.superclasses, archive.superclasses)
    classes = sorted(fine for fine, coarse in pairs if coarse in chosen)
    if empty := set(chosen) - {coarse for _, coarse in pairs}:
        raise UserError(
            f"{options.archive}: found no image of {archive.superclasses[min(empty)]}, expected at least one"
        )
    if wanted and wanted != classes:
        differing = sorted(set(wanted) ^ set(classes))
        raise UserError(
            f"config: data.classes: found other classes than those of data.superclasses in {options.archive}, expected"
            f" the same; they differ in {', '.join(archive.classes[i] for i in differing)}"
        )
    return classes


def _numbers(path: str, kind: str, names: list[str], known: list[str]) -> list[int]:
    """Places of names in an archive's list, ascending. Raises UserError on an unknown or repeated one."""
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known[:5]
            raise UserError(f"{path}: found no {kind} {name!r}, expected names such as {', '.join(near)}")
        if names.count(name) > 1:
            raise UserError(f"config: data: found the {kind} {name!r} twice, expected each once")
    return sorted(known.index(name) for name in names)


def fingerprint(options: Options) -> str:
    """Changes with the archive's size and either end; the whole file's checksum is looked at when it is read."""
    path = Path(options.archive)
    return image_files.fingerprint(path.parent, [path])
