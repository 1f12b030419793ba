"""What a study has made, and how to remove all of it."""

import base64
import binascii
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diffusion_credit.base.errors import UserError

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
    locks = snakemake / "locks"
    if locks.is_dir() and any(locks.iterdir()):
        raise UserError(
            f"{locks}: found the lock of a Snakemake, expected none to work here; if it was killed, run `snakemake"
            " --unlock` first"
        )
    real = results.resolve()
    aside = real.with_name(f".{real.name}{ASIDE}")
    shutil.rmtree(aside, ignore_errors=True)  # of a removal that was cut
    real.rename(aside)
    if results.is_symlink():
        results.unlink()
    for record in _records(results, snakemake):
        record.unlink()
    shutil.rmtree(aside)


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
