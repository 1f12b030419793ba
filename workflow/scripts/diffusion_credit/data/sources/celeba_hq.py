"""CelebA-HQ: a folder of numbered images, and CelebA's identities of them.

Sources: T. Karras et al., Progressive Growing of GANs, ICLR 2018, arXiv 1710.10196 (the images); Z. Liu et al., Deep
Learning Face Attributes in the Wild, ICCV 2015, arXiv 1411.7766 (the identities); C.-H. Lee et al., MaskGAN, CVPR 2020,
arXiv 1907.11922 (CelebAMask-HQ, which ships the images as files, and the mapping).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.data import image_files
from diffusion_credit.data.formats import is_image
from diffusion_credit.data.image_files import Files, ImageOptions, folder_of, read_files, take_part
from diffusion_credit.data.images import Images


class Options(ImageOptions):
    """CelebA-HQ, or other images with such a file of identities. Contributors have names like `identity 2880`."""

    source: Literal["celeba_hq"]
    identities: str = Field(
        min_length=1,
        description="CelebA's `identity_CelebA.txt`. Each line has a file name and the number of an identity.",
    )
    mapping: str | None = Field(
        default=None,
        min_length=1,
        description="`CelebA-HQ-to-CelebA-mapping.txt`, which says from which of CelebA's files an image"
        " was made. Without it the identities are those of the folder's own file names.",
    )

    def contributors_now(self) -> list[str]:
        return list(take_part(listed(self), self)[0])


def listed(options: Options) -> Files:
    """Every identity's images sorted by name, identities by number.

    Raises UserError on a malformed line, a file or number listed twice, an image or identity that is missing.
    """
    names = [path.name for path in folder_of(options).iterdir() if is_image(path)]
    persons = _identities(options.identities)
    if options.mapping:
        images = _origins(options.mapping, _numbered(options.path, names))
    else:
        images = dict(zip(persons, persons, strict=True))
    present = set(names)
    files: dict[int, list[Path]] = {}
    for name, original in images.items():
        if name not in present:
            lister = options.mapping or options.identities
            raise UserError(f"{options.path}/{name}: not found, although {lister} lists it")
        if original not in persons:
            raise UserError(f"{options.identities}: found no line for {original}, which {options.mapping} lists")
        files.setdefault(persons[original], []).append(Path(options.path) / name)
    return {f"identity {person}": sorted(files[person]) for person in sorted(files)}


def _identities(path: str) -> dict[str, int]:
    """File of CelebA -> number of the person on it."""
    persons: dict[str, int] = {}
    for number, fields in _lines(path):
        if len(fields) != 2 or not (fields[1].isascii() and fields[1].isdecimal()):
            raise _error(path, number, fields, "a file name and the number of an identity")
        if fields[0] in persons:
            raise _error(path, number, fields, "every file once")
        persons[fields[0]] = int(fields[1])
    return persons


def _numbered(folder: str, names: list[str]) -> dict[str, str]:
    """An image's number -> its file, whatever image suffix it has."""
    numbered: dict[str, str] = {}
    for name in sorted(names):
        if (other := numbered.setdefault(Path(name).stem, name)) != name:
            raise UserError(f"{folder}: found both {other} and {name}, expected only one of them")
    return numbered


def _origins(path: str, numbered: dict[str, str]) -> dict[str, str]:
    """Image file -> the file of CelebA that it was made from."""
    lines = _lines(path)
    first, header = next(lines, (1, []))
    if not {"idx", "orig_file"} <= set(header):
        raise _error(path, first, header, "the columns idx and orig_file")
    origins: dict[str, str] = {}
    used: set[str] = set()
    for number, fields in lines:
        if len(fields) != len(header):
            raise _error(path, number, fields, f"the columns {' '.join(header)}")
        row = dict(zip(header, fields, strict=True))
        name, original = numbered.get(row["idx"], f"{row['idx']}.jpg"), row["orig_file"]
        if name in origins or original in used:
            raise _error(path, number, fields, "every image once")
        origins[name] = original
        used.add(original)
    return origins


def _lines(path: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of a text file that are not blank: number, and fields between blanks."""
    try:
        with open(path, encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                if fields := line.split():
                    yield number, fields
    except OSError as error:
        raise UserError(f"{path}: {(error.strerror or 'not readable').lower()}, expected a text file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: found something that is not text in UTF-8 ({error})") from None


def _error(path: str, number: int, fields: list[str], expected: str) -> UserError:
    return UserError(f"{path}: row {number}: found {' '.join(fields)[:80]!r}, expected {expected}")


def read(options: Options) -> Images:
    """Read the listed images. Raises UserError as `listed` does, and on an image that cannot be read."""
    return read_files(listed(options), options)


def fingerprint(options: Options) -> str:
    """Changes with the two text files and with the images that take part."""
    files, _ = take_part(listed(options), options)
    tables = [Path(table) for table in (options.identities, options.mapping) if table]
    return image_files.fingerprint(options.path, [*tables, *(path for images in files.values() for path in images)])
