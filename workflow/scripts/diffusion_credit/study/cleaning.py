"""What a study has made, and how to remove all of it, or all that came from one contributor."""

import base64
import binascii
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diffusion_credit.base.collection import provenance_of
from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import MANIFEST, digest_of, digest_of_file, read_json, write_json
from diffusion_credit.base.names import same_letters

ASIDE = ".removed"
WEIGHTS = "weights"  # below the results: what is pretrained, or links to it
CLEANED = "cleaned.json"  # below the results: who took part before somebody's models were removed
MADE = (
    "index/index.json",
    "logs/index.log",
    "designs/*/*.csv",
    f"models/*/*/*/*/{MANIFEST}",
    CLEANED,
)  # by studies only
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
    if not any(next(results.glob(pattern), None) for pattern in MADE):
        raise UserError(f"{results}: found nothing that a study makes, expected the results of a study")
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
    for record in _records(results, snakemake):
        record.unlink()
    results.resolve().rename(aside / "all")
    if results.is_symlink():
        results.unlink()
    shutil.rmtree(aside)


def finish(results: Path) -> None:
    """Go on with a removal that was cut after things had been put aside."""
    shutil.rmtree(_beside(results), ignore_errors=True)


def named(results: Path, contributor: str) -> str:
    """The name of a contributor in the form that the results have it in. Raises UserError where they do not have it."""
    known = {*_names(results), *(name for members in _members(results, "*").values() for name in members)}
    spelled = {same_letters(name): name for name in known}
    if contributor not in known and same_letters(contributor) not in spelled:
        raise UserError(f"{results}: found nothing of {contributor!r}, expected the name of a contributor")
    return contributor if contributor in known else spelled[same_letters(contributor)]


def made_without(results: Path, contributor: str) -> list[Path]:
    """The models that came from nobody's images but those of a subset without a contributor, and what they drew.

    These are retrained models; all others begin with one of everyone. Raises UserError on a link out of the results.
    """
    for path in results.rglob("*"):
        inside = path.relative_to(results).parts[0] == WEIGHTS or path.resolve().is_relative_to(results.resolve())
        if path.is_symlink() and not inside:
            raise UserError(f"{path}: found a link out of {results}, expected none; remove by hand what it leads to")
    found = []
    for model, members in _members(results, "retrain").items():
        if contributor not in members:
            images = results / "images" / model.relative_to(results / "models")
            drawn = provenance_of(images) or {}
            found += [model, *([images] if drawn.get("model") == digest_of_file(model / MANIFEST) else [])]
    return found


def _members(results: Path, regime: str) -> dict[Path, list[str]]:
    """Models of a regime -> whose images they were trained on, as they say themselves."""
    models = [manifest.parent for manifest in sorted(results.glob(f"models/{regime}/*/*/*/{MANIFEST}"))]
    made = {model: provenance_of(model) or {} for model in models}
    return {model: list(found["members"]) for model, found in made.items() if "members" in found}


def _names(results: Path) -> list[str]:
    """Who takes part by the index, if there is one."""
    index = results / "index/index.json"
    return [each["name"] for each in read_json(index)["contributors"]] if index.is_file() else []


def remove_others(results: Path, snakemake: Path, kept: list[Path]) -> None:
    """Remove all that a study made but some entries of collections, and weights. Raises UserError as `remove` does.

    It leaves a digest of who took part, by which the next start sees whether `changes` says who left.
    """
    above = {folder for entry in kept for folder in entry.parents if folder.is_relative_to(results)}
    aside = _aside(results, snakemake)
    if names := _names(results):
        write_json(results / CLEANED, {"contributors": digest_of(names)})
    for record in _records(results, snakemake):
        record.unlink()
    # What announces collections goes first, and the index, which says who took part, last: this may be cut
    others = list(_others(results, {*kept, results / WEIGHTS, results / CLEANED}, above))
    others.sort(key=lambda path: (path.name != MANIFEST, path == results / "index"))
    for number, path in enumerate(others):
        path.rename(aside / str(number))
    shutil.rmtree(aside)


def _others(folder: Path, kept: set[Path], above: set[Path]) -> Iterator[Path]:
    """What is neither kept nor above something that is."""
    for path in sorted(folder.iterdir()):
        if path in above:
            yield from _others(path, kept, above)
        elif path not in kept:
            yield path


def _beside(results: Path) -> Path:
    real = results.resolve()
    return real.with_name(f".{real.name}{ASIDE}")


def _aside(results: Path, snakemake: Path) -> Path:
    """An empty folder for what is removed, beside the results. Raises UserError while a Snakemake works there."""
    locks = snakemake / "locks"
    if locks.is_dir() and any(locks.iterdir()):
        raise UserError(
            f"{locks}: found the lock of a Snakemake, expected none to work here; if it was killed, run `snakemake"
            " --unlock` first"
        )
    finish(results)
    _beside(results).mkdir()
    return _beside(results)


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
