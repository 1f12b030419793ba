"""Where projected gradients lie: a collection with an entry for each model, set of images and part of the set."""

from pathlib import Path

import numpy as np

from diffusion_credit.base.collection import entries
from diffusion_credit.measuring.features import read_features

# Sets of images; the last of what is predicted on the way to the generated
DATA, VALIDATION, GENERATED, PATH = "data", "validation", "generated", "path"


def entry_name(model: str, of: str, part: int) -> str:
    """Name of the entry of one part of a set."""
    return f"{model}-{of}-{part:04d}"


def read(manifest: Path) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Model -> set -> `features` (images, dimension) and `error` (images,)."""
    parts: dict[str, dict[str, list[dict[str, np.ndarray]]]] = {}
    for entry, (folder, _) in entries(manifest).items():
        model, of, _ = entry.rsplit("-", 2)
        parts.setdefault(model, {}).setdefault(of, []).append(read_features(folder))
    return {model: {of: _joined(found) for of, found in sets.items()} for model, sets in parts.items()}


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
