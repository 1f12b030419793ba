"""A tar.gz of plain files in one folder, read from memory: nothing in it can name a place on the disk."""

import gzip
import io
import tarfile
from typing import IO

from diffusion_credit.base.errors import UserError


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
