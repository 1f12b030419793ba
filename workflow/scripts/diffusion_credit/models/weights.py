"""Pretrained weights: named folders of files that others trained, with the digest of every file.

The manifest of a folder holds names, sizes and digests, and a file beside it where the folder lies. So nothing is made
again where a folder moved, or where the same files come from a hub instead.
"""

import logging
from collections.abc import Iterable
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path
from typing import Any

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import digest_of_file, read_json, write_json

log = logging.getLogger(__name__)

LOCATION = "location.json"


def fetch(name: str, options: dict[str, Any], manifest: Path) -> None:
    """Find or download the weights that the config calls `name`; write their manifest and, beside it, their place.

    options: those of `weights.<name>`. Only files that `files` or `sha256` name are fetched or looked at.
    Raises UserError on a missing folder or file, a failed download, and a file of another digest than in `sha256`.
    """
    folder = Path(options["folder"]) if options["folder"] else _download(name, options)
    found = {}
    for file, path in files_of(name, folder, options).items():
        digest = digest_of_file(path)
        expected = options["sha256"].get(file)
        if file in options["sha256"] and expected is None:
            log.warning("Warning: %s: not checked, found the sha256 %s", path, digest)
        if expected not in (None, digest):
            raise UserError(f"{path}: found the sha256 {digest}, expected {expected} (config: weights.{name}.sha256)")
        found[file] = {"size": path.stat().st_size, "sha256": digest}
    write_json(manifest.with_name(LOCATION), str(folder))
    write_json(manifest, {"files": found})


def _download(name: str, options: dict[str, Any]) -> Path:
    """The folder of a revision in the hub's own cache, which studies share."""
    from huggingface_hub import snapshot_download

    patterns = [*options["files"], *map(escape, options["sha256"])]
    try:
        return Path(snapshot_download(options["hub"], revision=options["revision"], allow_patterns=patterns))
    except Exception as error:  # HTTP, network, permissions, an unknown repository or revision
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"weights {name}: could not be fetched from the hub's {options['hub']} ({reason})") from None


def files_of(name: str, folder: Path, options: dict[str, Any]) -> dict[str, Path]:
    """Name below the folder -> path, sorted, of the files that `files` or `sha256` name.

    Raises UserError when the folder, or a file that `sha256` names, or any file at all is not there.
    """
    if not folder.is_dir():
        raise UserError(f"weights.{name}.folder: {folder} is not a folder, expected one that holds the weights")
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for file in options["sha256"]:
        if file not in paths:
            raise UserError(f"{folder / file}: not found, although weights.{name}.sha256 names it")
    wanted = {
        file: path
        for file, path in sorted(paths.items())
        if file in options["sha256"] or any(fnmatchcase(file, pattern) for pattern in options["files"])
    }
    if not wanted:
        raise UserError(f"{folder}: found no file like {' '.join(options['files'])} (config: weights.{name}.files)")
    return wanted


def open_weights(manifest: str | Path) -> Path:
    """The folder that a manifest is about, after a look at the size of every file.

    Raises UserError naming the file that is missing or has another size, such as one cut short.
    """
    folder = Path(read_json(Path(manifest).with_name(LOCATION)))
    for name, file in read_json(manifest)["files"].items():
        path = folder / name
        if not path.is_file():
            raise UserError(f"{path}: not found, although {manifest} names it")
        if path.stat().st_size != file["size"]:
            raise UserError(f"{path}: found {path.stat().st_size} bytes, expected {file['size']} as in {manifest}")
    return folder


def listed_in(manifest: str | Path) -> list[str]:
    """The files that a manifest is of, by their names below the folder."""
    return list(read_json(manifest)["files"])


def open_file(manifest: str | Path, ending: str) -> Path:
    """The one file with this ending, for formats that can hold code: only when its digest is the manifest's.

    Raises UserError when there is none or several, or when the file changed since its digest was taken.
    """
    files = {name: file for name, file in read_json(manifest)["files"].items() if name.endswith(ending)}
    if len(files) != 1:
        raise UserError(f"{manifest}: found {sorted(files)}, expected one file ending in {ending}, named in sha256")
    ((name, file),) = files.items()
    path = open_weights(manifest) / name
    if digest_of_file(path) != file["sha256"]:
        raise UserError(f"{path}: its digest differs from the one in {manifest}")
    return path


def by_name(manifests: Iterable[str]) -> dict[str, Path]:
    """Name in the study's `weights` -> manifest, of a job's inputs."""
    return {Path(manifest).parent.name: Path(manifest) for manifest in manifests}


def digests_of(weights: dict[str, Path]) -> dict[str, str]:
    """Name -> what a result that depends on these weights records: names, sizes and digests, wherever they lie."""
    return {name: digest_of_file(manifest) for name, manifest in weights.items()}
