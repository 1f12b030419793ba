"""What a study has made, and how to remove all of it, or all that came from one contributor."""

import base64
import binascii
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import MANIFEST
from diffusion_credit.base.tables import read_subsets

ASIDE = ".removed"
RECORDS = ("metadata", "incomplete")  # what Snakemake notes of each file: options, among others


def sizes(results: Path) -> dict[str, tuple[int, int]]:
    """What lies directly below the results -> number of files and their bytes, the largest first."""
    files, size = Counter[str](), Counter[str]()
    for file in results.rglob("*"):
        if file.is_file() and not file.is_symlink():
            name = file.relative_to(results).parts[0]
            files[name] += 1
            size[name] += file.stat().st_size
    return {name: (files[name], total) for name, total in size.most_common()}


def require_ours(study: dict[str, Any], results: Path) -> None:
    """Raises UserError where the folder is not one that a study made, or holds files that the study was given.

    study: its options.
    """
    if not any((results / name).exists() for name in ("index", "logs", "designs")):
        raise UserError(f"{results}: found neither index nor logs in it, expected the results of a study")
    own = results.resolve()
    for text in _texts(study):
        if os.path.exists(text) and Path(text).resolve().is_relative_to(own):
            raise UserError(f"{results}: found {text} in it, which the study was given; expected only what it has made")


def _texts(value: Any) -> Iterator[str]:
    """Every text in some options that may be the name of a file."""
    if isinstance(value, str):
        if value and "\0" not in value:
            yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def remove(results: Path, snakemake: Path) -> None:
    """Remove a study's results and what Snakemake noted of them. snakemake: its folder, beside `results`.

    They are put aside first, so that no half of them is left where a run would go on from it. Raises UserError while
    a Snakemake works there.
    """
    aside = _aside(results, snakemake)
    results.resolve().rename(aside / "all")
    if results.is_symlink():
        results.unlink()
    for record in _records(results, snakemake):
        record.unlink()
    shutil.rmtree(aside)


def made_without(results: Path, contributor: str) -> dict[Path, list[str]]:
    """Collection -> its entries that came from nobody's images but those of a subset without a contributor.

    These are retrained models and what they drew; all other models begin with one of everyone. Raises UserError where
    no subset has the contributor.
    """
    found, known = {}, False
    for table in sorted(results.glob("designs/*/*.csv")):
        rows, made = read_subsets(table), table
        if contributor not in rows.contributors:
            continue
        known, place = True, rows.contributors.index(contributor)
        for stage in ("models", "images"):
            collection = results / stage / "retrain" / table.parent.name / table.stem
            if not _is_newer(collection / MANIFEST, made):
                break  # it may be of other subsets
            pairs = zip(rows.names, rows.members, strict=True)
            found[collection] = [name for name, members in pairs if not members[place]]
            made = collection / MANIFEST
    if not known:
        raise UserError(f"{results}: found no subset with {contributor!r}, expected the name of a contributor")
    return found


def remove_others(results: Path, snakemake: Path, kept: dict[Path, list[str]]) -> None:
    """Remove all that a study made but some entries of collections, and weights. Raises UserError as `remove` does."""
    entries = {collection / name for collection, names in kept.items() for name in names}
    above = {folder for entry in entries for folder in entry.parents if folder.is_relative_to(results)}
    aside = _aside(results, snakemake)
    # If this is cut, a run makes everything again, for want of an index, and a removal still knows the subsets
    order = {results / "index": 0, results / "designs": 2}
    others = _others(results, entries | {results / "weights"}, above)
    for number, path in enumerate(sorted(others, key=lambda path: order.get(path, 1))):
        path.rename(aside / str(number))
    for record in _records(results, snakemake):
        record.unlink()
    shutil.rmtree(aside)


def _is_newer(file: Path, than: Path) -> bool:
    return file.is_file() and file.stat().st_mtime_ns >= than.stat().st_mtime_ns


def _others(folder: Path, kept: set[Path], above: set[Path]) -> Iterator[Path]:
    """What is neither kept nor above something that is."""
    for path in sorted(folder.iterdir()):
        if path in above:
            yield from _others(path, kept, above)
        elif path not in kept:
            yield path


def _aside(results: Path, snakemake: Path) -> Path:
    """An empty folder for what is removed, beside the results. Raises UserError while a Snakemake works there."""
    locks = snakemake / "locks"
    if locks.is_dir() and any(locks.iterdir()):
        raise UserError(
            f"{locks}: found the lock of a Snakemake, expected none to work here; if it was killed, run `snakemake"
            " --unlock` first"
        )
    real = results.resolve()
    aside = real.with_name(f".{real.name}{ASIDE}")
    shutil.rmtree(aside, ignore_errors=True)  # of a removal that was cut
    aside.mkdir()
    return aside


def _records(results: Path, snakemake: Path) -> Iterator[Path]:
    """Snakemake's records of files below the results, which have the files' paths in base64 as their own."""
    for folder in (snakemake / name for name in RECORDS):
        for record in sorted(path for path in folder.rglob("*") if path.is_file()):
            text = "".join(part.removeprefix("@") for part in record.relative_to(folder).parts)
            try:
                of = Path(base64.urlsafe_b64decode(text).decode())
            except (binascii.Error, UnicodeDecodeError):
                continue
            if of.is_relative_to(results):
                yield record
