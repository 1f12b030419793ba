"""A collection: a folder with one entry for each row of a batch, announced as a whole by its manifest.

Entries that are already complete and made from the same provenance are kept, so a job that was cut, or that
runs again for a reason that did not touch an entry, goes on instead of starting over.

Two jobs may fill the same collection at once: when the workflow is killed and started again, or a node is lost and
found again, the old job runs on beside the new one. Each prepares an entry in a folder of its own and moves it in
place, so they share the work, the first to finish an entry wins, and neither sees half of it. When they want
different things, because the options were edited in between, the collection belongs to the job that began last,
and the other stops.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from diffusion_credit.base.errors import Stopped, UserError
from diffusion_credit.base.files import (
    MANIFEST,
    announce,
    being_prepared,
    digest_of,
    digest_of_file,
    is_complete,
    read_json,
    replacing_folder,
    write_json,
)

log = logging.getLogger(__name__)

SECONDS = "seconds.json"  # what an entry took; in no manifest, because it differs from run to run
EMPTY = "empty"  # the entry of nobody's images, where there is one a contributor
WANTED = "wanted.json"  # entry -> digest of the provenance that the last job to begin wants it with


class Superseded(UserError):
    """A job that began later makes the same collection from other inputs or options."""


def fill(collection: Path, wanted: dict[str, dict[str, Any]], make: Callable[[str, Path, Path], None]) -> int:
    """Make the entries of `wanted` that are not there with their provenance, announce all; return how many were made.

    make(name, folder, state): writes the entry into an empty folder and announces it there with its provenance;
    state is a file in which it may keep what lets it resume, removed when the entry is in place. Raises Superseded.
    """
    digests = {name: digest_of(provenance) for name, provenance in wanted.items()}
    write_json(collection / WANTED, digests)
    check = partial(_require_wanted, collection, digests)
    made = 0
    left_to_others: list[str] = []
    try:
        for name in chain(wanted, left_to_others):
            state = collection / f".{name}.state.safetensors"
            if not is_complete(collection / name, wanted[name]):
                if name not in left_to_others and being_prepared(collection / name):
                    left_to_others.append(name)  # and looked at again in the end, for the other job may be dead
                    continue
                with replacing_folder(collection / name, wanted[name], check) as folder:
                    make(name, folder, state)
                log.debug("made %s", name)
                made += 1
            state.unlink(missing_ok=True)
        check()
        announce_collection(collection, list(wanted))
        if not is_finished(collection):
            raise Superseded(f"{collection}: another job changed an entry at the last moment; run again")
    except (Stopped, Superseded):
        # The manifest of a job that fails is deleted, even when another job has written it meanwhile
        if not is_finished(collection):
            raise
        log.info("%s: finished by another job", collection)
    return made


def _require_wanted(collection: Path, digests: dict[str, str]) -> None:
    if read_json(collection / WANTED) != digests:
        raise Superseded(f"{collection}: a job that began later makes it from other inputs or options; this one stops")


def is_finished(collection: Path) -> bool:
    """Whether the collection is announced, with every entry as the last job to begin wanted it."""
    return (collection / MANIFEST).is_file() and all(finished(collection).values())


def finished(collection: Path) -> dict[str, bool]:
    """Entry -> whether it is there as the last job to begin wanted it. Empty before any job. Verifies no digests."""
    try:
        wanted = read_json(collection / WANTED)
    except UserError:
        return {}
    return {name: digest_of(provenance_of(collection / name)) == digest for name, digest in wanted.items()}


def announced(collection: Path) -> list[str]:
    """The entries of an announced collection, in order; none before it is announced."""
    try:
        return list(read_json(collection / MANIFEST)["order"])
    except UserError:
        return []


def provenance_of(entry: Path) -> dict[str, Any] | None:
    """What an entry was made from; None where none is announced."""
    try:
        found: dict[str, Any] | None = read_json(entry / MANIFEST).get("provenance")
    except UserError:
        return None
    return found


def announce_collection(collection: Path, names: list[str]) -> None:
    """Write the collection's manifest: its entries in order, each with the digest of its own manifest.

    One that says the same already is left alone, so that what was made from it stays newer.
    """
    entries = {name: digest_of_file(collection / name / MANIFEST) for name in names}
    manifest = {"order": names, "entries": entries}
    if not (collection / MANIFEST).is_file() or read_json(collection / MANIFEST) != manifest:
        write_json(collection / MANIFEST, manifest)


def announce_entry(folder: Path, files: list[str], provenance: dict[str, Any], started: float) -> None:
    """Announce an entry, and say how long it took. started: time.monotonic() when it was begun."""
    write_json(folder / SECONDS, time.monotonic() - started)
    announce(folder, files, provenance=provenance)


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


def contributor_entry(number: int) -> str:
    """Name of the entry of one contributor, where there is one a contributor."""
    return f"contributor-{number}"
