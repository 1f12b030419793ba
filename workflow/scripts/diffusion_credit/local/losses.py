"""The losses of single images under the models of subsets: what local attribution credits, as it is kept."""

from collections.abc import Sequence

import numpy as np

from diffusion_credit.base.collection import entries
from diffusion_credit.base.files import read_manifest
from diffusion_credit.base.tables import Subsets, concatenate, read_subsets
from diffusion_credit.baselines.gradient_arrays import GENERATED, VALIDATION
from diffusion_credit.measuring.features import LOSSES, read_arrays

SETS = (VALIDATION, GENERATED)  # images that are explained


def read_losses(designs: Sequence[str], manifests: Sequence[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Members (subsets, n) of the designs, and set -> losses (subsets, replicates, images)."""
    table: Subsets = concatenate([read_subsets(path) for path in designs])
    folders = {name: folder for manifest in manifests for name, (folder, _) in entries(manifest).items()}
    found = []
    for name in table.names:
        read_manifest(folders[name])
        found.append(read_arrays(folders[name] / LOSSES))
    ids = list(dict.fromkeys(table.subset))
    rows = np.array([[at for at, subset in enumerate(table.subset) if subset == name] for name in ids])
    return table.members[rows[:, 0]], {name: np.stack([each[name] for each in found])[rows] for name in SETS}
