"""The losses of single images under the models of subsets: what local attribution credits, as it is kept."""

from collections.abc import Sequence

import numpy as np

from diffusion_credit.baselines.gradient_arrays import GENERATED, VALIDATION
from diffusion_credit.measuring import features

SETS = (VALIDATION, GENERATED)  # images that are explained


def read_losses(designs: Sequence[str], manifests: Sequence[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Members (subsets, n) of the designs, and set -> losses (subsets, replicates, images)."""
    table, found = features.read_losses(designs, manifests)
    ids = list(dict.fromkeys(table.subset))
    rows = np.array([[at for at, subset in enumerate(table.subset) if subset == name] for name in ids])
    return table.members[rows[:, 0]], {name: np.stack([each[name] for each in found])[rows] for name in SETS}
