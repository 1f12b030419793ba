"""Features of images and losses of single ones: a safetensors file for each model, so that none is computed again."""

import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from diffusion_credit.base.collection import announce_entry, entries, fill
from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import announce, read_manifest, replacing, versions
from diffusion_credit.base.tables import Subsets, concatenate, read_subsets
from diffusion_credit.data.images import ZIP, read_zip, write_zip
from diffusion_credit.measuring.properties import Property, ReadingProperty

FEATURES = "features.safetensors"
LOSSES = "losses.safetensors"  # of single images under one model


def images_of(manifest: Path) -> dict[str, tuple[str, Callable[[], np.ndarray]]]:
    """Name -> (digest, a function that reads the images) of a collection of generated images."""

    def reader(folder: Path) -> Callable[[], np.ndarray]:
        def read() -> np.ndarray:
            read_manifest(folder)
            return read_zip(folder / ZIP)

        return read

    return {name: (digest, reader(folder)) for name, (folder, digest) in entries(manifest).items()}


def extract(
    images: dict[str, tuple[str, Callable[[], np.ndarray]]],
    collection: Path,
    extractor: Callable[[], Callable[[np.ndarray], dict[str, np.ndarray]]],
    options: dict[str, Any],
) -> None:
    """Write the features of every entry. extractor: loads the function from uint8 images to named arrays.

    options: whatever the features depend on besides the images, with the `versions` of further packages.
    """
    common = {**options, "versions": {**options["versions"], **versions("torch", "numpy", "pillow")}}
    wanted = {name: {**common, "images": digest} for name, (digest, _) in images.items()}
    load = cache(extractor)  # only where an entry is missing

    def make(name: str, folder: Path, _: Path) -> None:
        embed, started = load(), time.monotonic()
        arrays = embed(images[name][1]())
        _require_finite(arrays, f"features of {collection / name}")
        with replacing(folder / FEATURES) as temporary:
            save_file({key: np.ascontiguousarray(array) for key, array in arrays.items()}, temporary)
        announce_entry(folder, [FEATURES], wanted[name], started)

    fill(collection, wanted, make)


def read_features(folder: Path) -> dict[str, np.ndarray]:
    """The named arrays of one entry. Raises UserError where a number is not finite."""
    read_manifest(folder)
    arrays = read_arrays(folder / FEATURES)
    _require_finite(arrays, str(folder / FEATURES))
    return arrays


def _require_finite(arrays: dict[str, np.ndarray], where: str) -> None:
    for name, array in arrays.items():
        wrong = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
        if len(wrong):
            raise UserError(
                f"{where}: found {len(wrong)} image(s) whose {name} are not finite, number {wrong[0]} the first;"
                " expected finite ones from the extractor"
            )


def read_losses(designs: Sequence[str], manifests: Sequence[str]) -> tuple[Subsets, list[dict[str, np.ndarray]]]:
    """The rows of tables of subsets, and the losses of single images under each row's model, by set of images."""
    table = concatenate([read_subsets(path) for path in designs])
    folders = {name: folder for manifest in manifests for name, (folder, _) in entries(manifest).items()}
    return table, [losses_of(folders[name]) for name in table.names]


def losses_of(folder: Path) -> dict[str, np.ndarray]:
    """The losses of single images under one model, by set of images."""
    read_manifest(folder)
    return read_arrays(folder / LOSSES)


def reader(module: Property) -> Callable[[Path], Any]:
    """What reads an entry for a property: its features, or the property's own reader of images."""
    return cast(ReadingProperty, module).read if module.Options.reads == "images" else read_features


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays in a safetensors file. Raises UserError naming a file that is none."""
    try:
        arrays: dict[str, np.ndarray] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: not a safetensors file ({error})") from None
    return arrays


def write_data_images(collection: Path, pixels: np.ndarray, provenance: dict[str, Any]) -> None:
    """The training images as a collection of images of one entry, named like the model of everyone."""

    def make(name: str, folder: Path, _: Path) -> None:
        write_zip(folder / ZIP, pixels)
        announce(folder, [ZIP], provenance=provenance)

    fill(collection, {"everyone-0": provenance}, make)
