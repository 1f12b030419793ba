"""Reading what models without one contributor say of generated images."""

from collections.abc import Sequence

import numpy as np

from diffusion_credit.base.collection import only_entry
from diffusion_credit.baselines.gradient_arrays import GENERATED
from diffusion_credit.measuring.features import losses_of, read_losses


def read_bounds(designs: Sequence[str], full: str, manifests: Sequence[str]) -> dict[str, np.ndarray]:
    """Negative bounds of generated images: `full` (images,), and `without` (n, images), a mean over replicates.

    designs: tables of subsets that lack one contributor each. full: the manifest of the full model's bounds. manifests:
    of the other models'.
    """
    table, found = read_losses(designs, manifests)
    lacking = ~table.members
    total = lacking.T @ np.stack([each[GENERATED] for each in found])
    return {"full": losses_of(only_entry(full))[GENERATED], "without": total / lacking.sum(axis=0)[:, None]}
