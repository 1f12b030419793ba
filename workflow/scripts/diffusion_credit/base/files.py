"""Files that are complete or absent, and the manifests that announce folders of them.

A file is written beside its final name and moved into place, so a reader never sees half of it and two
writers of the same bytes do no harm. A folder is announced by its manifest, which is written last and
holds the digest of every file that belongs to it.
"""

import errno
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from safetensors import SafetensorError

from diffusion_credit.base.errors import UserError

MANIFEST = "manifest.json"
CONFIG = "config.json"
CHECKPOINT = "checkpoint.json"  # what else we know of a network than its weights
OPEN = re.compile(r"/(?:dev/std(out|err)|(?:dev|proc/self)/fd/(\d+))")  # files that this process has open
EDGE = 1 << 21  # bytes read at either end of a file to notice that it changed


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success move it there, on failure remove it.

    A link stays: what it points to is replaced. Pipes, devices and open files, such as /dev/stdout, are written to.
    Raises UserError naming `path` when it cannot be written, as on a full disk.
    """
    asked = Path(path)
    try:
        if (stream := _stream(asked)) is None:
            with _moved_into_place(Path(os.path.realpath(asked))) as temporary:
                yield temporary
        else:
            with stream, tempfile.TemporaryDirectory() as folder:
                yield (temporary := Path(folder) / asked.name)
                with temporary.open("rb") as written:
                    shutil.copyfileobj(written, stream)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{asked}: could not be written ({error})") from None


@contextmanager
def _moved_into_place(path: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix=_private_prefix(path), suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())  # else a power cut may leave an empty file under the final name
        _share(temporary, 0o666)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _stream(path: Path) -> BinaryIO | None:
    """What a path that is no ordinary file is written to: an open file of this process, a pipe, or a device."""
    if own := OPEN.fullmatch(str(path.absolute())):
        sys.stdout.flush()
        # not opened anew, which would begin at the start of a file that output is sent to
        return os.fdopen(os.dup(int(own[2] or {"out": 1, "err": 2}[own[1]])), "wb")
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    special = stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode) or stat.S_ISBLK(mode)
    return path.open("wb") if special else None


@contextmanager
def replacing_folder(path: Path, provenance: dict[str, Any], check: Callable[[], None]) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on success move it there, on failure remove it.

    The folder must have been announced with `provenance`. If somebody else has put a complete one of the same
    provenance at `path` meanwhile, theirs stays; anything else at `path` makes way. check: called before every move,
    raises where this process may move nothing any more.
    """
    folder = _new_folder(path)
    _share(folder, 0o777)
    try:
        yield folder
        check()
        while not _moved(folder, path) and not is_complete(path, provenance):
            check()
            aside = _new_folder(path)
            with suppress(FileNotFoundError):  # somebody else may have been faster
                os.rename(path, aside)
            # or may have put a complete one there after the look at it: then it goes back
            if not is_complete(aside, provenance) or not _moved(aside, path):
                shutil.rmtree(aside, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _new_folder(path: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=_private_prefix(path), dir=path.parent))


def _moved(folder: Path, path: Path) -> bool:
    """Move a folder to `path`, unless something is there. Raises UserError when that fails."""
    try:
        os.rename(folder, path)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise UserError(f"{path}: could not be written ({error})") from None
    return True


def being_prepared(path: Path) -> bool:
    """Whether some process prepares the folder `path`, or was killed while it did."""
    return any(found.is_dir() for found in path.parent.glob(f"{_hidden(path)}*"))


def _share(path: Path, mode: int) -> None:
    """The permissions of an ordinary new file; temporary ones are private."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(mode & ~umask)


def _private_prefix(path: Path) -> str:
    """How the names begin under which this process prepares `path`; removes what killed ones of this machine left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{_hidden(path)}{platform.node()[:64]}{_PROCESSES}."
    for left in path.parent.iterdir():
        process = left.name.removeprefix(prefix).split(".")[0]
        if left.name.startswith(prefix) and process.isdigit():
            try:
                os.kill(int(process), 0)
            except ProcessLookupError:
                if left.is_dir():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink(missing_ok=True)
            except PermissionError:
                pass  # alive, and somebody else's
    return f"{prefix}{os.getpid()}."


def _process_numbers() -> str:
    """Tells containers on one machine apart, where each has process numbers of its own."""
    try:
        return f"-{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


_PROCESSES = _process_numbers()


def _hidden(path: Path) -> str:
    return f".{path.name[:64]}."


def versions(*packages: str) -> dict[str, str]:
    """Installed versions of the packages that a result depends on."""
    return {package: version(package) for package in packages}


def canonical_json(value: Any) -> str:
    """The same text for the same value, whatever the order of its keys. Raises ValueError on NaN."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def write_json(path: str | Path, value: Any) -> None:
    """Write readable JSON with sorted keys. Raises ValueError on NaN or infinity."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read JSON; raises UserError naming the file when it is missing or is not JSON."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: not found, expected a JSON file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: found text that is not JSON ({error})") from None


def digest_of(value: Any) -> str:
    """sha256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def digest_of_file(path: str | Path) -> str:
    """sha256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_fingerprint(files: dict[str, Path]) -> str:
    """A digest that changes with the files: their names as given, sizes, and the first and last 2 MiB of each.

    Of folders the names count. Modification times do not, nor does where files lie: a copy of them is the same files.
    Raises UserError on a file that cannot be read.
    """
    digest = hashlib.sha256()
    for name, path in files.items():
        digest.update(os.fsencode(name) + b"\0")
        try:
            if path.is_dir():
                continue
            size = path.stat().st_size
            digest.update(str(size).encode() + b"\0")
            with path.open("rb") as stream:
                digest.update(stream.read(EDGE))
                stream.seek(max(EDGE, size - EDGE))
                digest.update(stream.read(EDGE))
        except OSError as error:
            reason = (error.strerror or "not readable").lower()
            raise UserError(f"{path}: {reason}, expected a file that may be read") from None
    return digest.hexdigest()


def announce(folder: str | Path, names: list[str], **fields: Any) -> None:
    """Write a folder's manifest: the digest of every named file in it, and any further fields."""
    folder = Path(folder)
    files = {name: digest_of_file(folder / name) for name in names}
    write_json(folder / MANIFEST, {"files": files, **fields})


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """A folder's manifest, after checking that every file it names is there and unchanged.

    Raises UserError naming the first file that is missing or differs.
    """
    folder = Path(folder)
    manifest: dict[str, Any] = read_json(folder / MANIFEST)
    for name, digest in manifest["files"].items():
        try:
            found = digest_of_file(folder / name)
        except FileNotFoundError:
            raise UserError(f"{folder / name}: not found, although {folder / MANIFEST} names it") from None
        if found != digest:
            raise UserError(f"{folder / name}: its digest differs from the one in {folder / MANIFEST}")
    return manifest


def is_complete(folder: str | Path, provenance: dict[str, Any]) -> bool:
    """Whether `folder` is announced, unchanged since, and was made from exactly this provenance."""
    try:
        return bool(read_manifest(folder).get("provenance") == provenance)
    except UserError:
        return False
