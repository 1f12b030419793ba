"""A collection: a folder with one entry for each row of a batch, announced as a whole by its manifest.

Entries that are already complete and made from the same provenance are kept, so a job that was cut, or that
runs again for a reason that did not touch an entry, goes on instead of starting over.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diffusion_credit.errors import UserError
from diffusion_credit.files import MANIFEST, clear, digest_of_file, is_complete, read_json, write_json

SECONDS = "seconds.json"  # what an entry took; in no manifest, because it differs from run to run


def unfinished(collection: Path, wanted: dict[str, dict[str, Any]]) -> Iterator[tuple[str, Path]]:
    """Name and emptied folder of every entry that is not complete with the provenance it is wanted with."""
    for name, provenance in wanted.items():
        if not is_complete(collection / name, provenance):
            clear(collection / name)
            yield name, collection / name


def announce_collection(collection: Path, names: list[str]) -> None:
    """Write the collection's manifest: its entries in order, each with the digest of its own manifest."""
    entries = {name: digest_of_file(collection / name / MANIFEST) for name in names}
    write_json(collection / MANIFEST, {"order": names, "entries": entries})


def entries(manifest: str | Path) -> dict[str, tuple[Path, str]]:
    """Name -> (folder, digest of its manifest) of a collection's entries, in order.

    Raises UserError when an entry's manifest is not the one that was announced.
    """
    found = read_json(manifest)
    result = {}
    for name in found["order"]:
        folder, digest = Path(manifest).parent / name, found["entries"][name]
        if not (folder / MANIFEST).is_file() or digest_of_file(folder / MANIFEST) != digest:
            raise UserError(f"{folder / MANIFEST}: missing or changed since {manifest} announced it")
        result[name] = folder, digest
    return result


def only_entry(manifest: str | Path) -> Path:
    """The folder of a collection's single entry."""
    ((folder, _),) = entries(manifest).values()
    return folder
