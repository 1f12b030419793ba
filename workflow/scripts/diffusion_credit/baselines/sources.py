"""Reading what baselines are made from."""

from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.base.collection import only_entry
from diffusion_credit.baselines import gradient_arrays
from diffusion_credit.measuring.features import images_of, read_features


def read(stage: str, manifest: str) -> dict[str, Any]:
    """The arrays of one source by name; pixels as `features`; of gradients by model and set before that."""
    if stage == "gradients":
        return gradient_arrays.read(Path(manifest))
    if stage == "images":
        ((_, images),) = images_of(Path(manifest)).values()
        pixels = images()
        return {"features": pixels.reshape(len(pixels), -1).astype(np.float32) / 127.5 - 1}
    return read_features(only_entry(manifest))
