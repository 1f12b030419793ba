"""What a study has made, and how to remove all of it."""

import base64
import binascii
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from diffusion_credit.base.errors import UserError

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


def remove(results: Path, snakemake: Path) -> None:
    """Remove a study's results and what Snakemake noted of them. snakemake: its folder, beside `results`.

    Raises UserError while a Snakemake works there.
    """
    locks = snakemake / "locks"
    if locks.is_dir() and any(locks.iterdir()):
        raise UserError(
            f"{locks}: found the lock of a Snakemake, expected none to work here; if it was killed, run `snakemake"
            " --unlock` first"
        )
    for record in _records(results, snakemake):
        record.unlink()
    shutil.rmtree(results.resolve())
    if results.is_symlink():
        results.unlink()


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
