"""Reading what models without one contributor say of generated images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from diffusion_credit.base.collection import entries, only_entry
from diffusion_credit.base.files import read_manifest
from diffusion_credit.base.tables import concatenate, read_subsets
from diffusion_credit.baselines.gradient_arrays import GENERATED
from diffusion_credit.measuring.features import LOSSES, read_arrays


def read_bounds(designs: Sequence[str], full: str, manifests: Sequence[str]) -> dict[str, np.ndarray]:
    """Negative bounds of generated images: `full` (images,), and `without` (n, images), a mean over replicates.

    designs: tables of subsets that lack one contributor each. full: the manifest of the full model's bounds. manifests:
    of the other models'.
    """
    table = concatenate([read_subsets(path) for path in designs])
    folders = {name: folder for manifest in manifests for name, (folder, _) in entries(manifest).items()}
    found = np.stack([_read(folders[name]) for name in table.names])
    lacking = ~table.members
    return {
        "full": _read(only_entry(full)),
        "without": (lacking.T @ found) / lacking.sum(axis=0)[:, None],
    }


def _read(folder: Path) -> np.ndarray:
    read_manifest(folder)
    return read_arrays(folder / LOSSES)[GENERATED]
