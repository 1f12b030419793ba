"""Archives of plain files, read without writing any: nothing in them can name a place on the disk."""

import gzip
import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

from diffusion_credit.base.errors import UserError

LARGEST = 1 << 30  # bytes of one member that is read into memory; more is a bomb, or no image


def read_members(path: str, folder: str, largest: int) -> dict[str, IO[bytes]]:
    """The files of an archive by their names in the folder. largest: bytes that it may unpack to.

    Raises UserError naming the archive when it is damaged or unpacks to more, and the member when one is a link, a
    device or anything else but a plain file of its own directly in the folder.
    """
    try:
        with gzip.open(path) as packed:
            content = packed.read(largest + 1)
        if len(content) > largest:
            raise UserError(f"{path}: found more than {largest} bytes in it, expected a smaller archive")
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            return _members(path, folder, archive)
    except UserError:
        raise
    except Exception as error:  # as read_image: decoders raise nearly anything on damaged files
        raise UserError(f"{path}: found something that is not a whole tar.gz ({error})") from None


def _members(path: str, folder: str, archive: tarfile.TarFile) -> dict[str, IO[bytes]]:
    members: dict[str, IO[bytes]] = {}
    for member in archive:
        above, _, name = member.name.partition("/")
        if member.isdir() and member.name == folder:
            continue
        content = archive.extractfile(member) if member.isreg() and not member.issparse() else None
        if content is None or above != folder or name in ("", ".", "..", *members) or "/" in name:
            raise UserError(f"{path}: found {member.name!r} in it, expected plain files in {folder}/, each once")
        members[name] = content
    return members


def stream_members(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Name and reader of each file in a tar or tar.gz, in order. Read one before asking for the next.

    Of a tar that is not compressed, only what is asked for is read. Raises UserError naming the archive when it is
    damaged, cut off or followed by something, and the member when it is a link, a device or larger than LARGEST.
    """
    try:
        with (
            gzip.open(path) if path.name.lower().endswith("gz") else open(path, "rb") as content,
            tarfile.open(fileobj=content, mode="r:", encoding="utf-8", errors="strict") as archive,
        ):
            for member in archive:
                if member.isdir():
                    continue
                stream = archive.extractfile(member) if member.isreg() and not member.issparse() else None
                if stream is None:
                    raise UserError(f"{path}: found {member.name!r} in it, expected plain files")
                if member.size > LARGEST:
                    raise UserError(f"{path}: found {member.name!r} of {member.size} bytes, expected at most {LARGEST}")
                yield member.name, stream.read
            content.seek(archive.offset)
            _refuse_more(path, content)
    except UserError:
        raise
    except Exception as error:  # as above
        raise UserError(f"{path}: found something that is not a whole tar with names in UTF-8 ({error})") from None


def _refuse_more(path: Path, content: BinaryIO | gzip.GzipFile) -> None:
    """Raises UserError unless the rest is zeros, as at the end of a tar: tarfile stops at a damaged member, too."""
    rest = 0
    while chunk := content.read(1 << 20):
        rest += len(chunk)
        if chunk.strip(b"\0"):
            raise UserError(f"{path}: found something that is no member of a tar after the last one, expected its end")
    if not rest:
        raise UserError(f"{path}: found no end after the last member, expected a whole tar")
