"""The images that the page shows, read from their collections."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from diffusion_credit.data.images import open_pixels
from diffusion_credit.data.index import Index
from diffusion_credit.measuring.features import images_of
from diffusion_credit.report.document import Credit
from diffusion_credit.report.page import SAMPLES, Pictures, shown

MODELS = ("Full model", "Pruned", "Pruned and fitted again")
REMOVED = {"without_top": "Without the top", "only_top": "With only the top", "without_bottom": "Without the bottom"}


def read_pictures(
    credit: Credit,
    index: Path,
    pixels: Path,
    anchors: Sequence[str],
    sampled: Sequence[str],
    retrained: Sequence[str],
    models: Sequence[str],
    removed: Mapping[str, Sequence[str]],
) -> Pictures:
    """What the page shows of images, besides the document that says of whom.

    All others are manifests of collections of images: anchors, sampled: of the design. retrained: of the retrained
    anchors. models: of the full, the pruned and the re-fitted model. removed: property -> without the top, and with
    only the top.
    """
    people = shown(credit)
    owner, images = Index(index).owner, open_pixels(pixels)
    everyone, subsets = _readers(anchors)["everyone-0"](), _readers(sampled)
    again = _readers(retrained)["everyone-0"]()
    without_top = {name: _readers(removed[name]) for name in credit.properties}
    return Pictures(
        own={who.number: images[_spread(np.flatnonzero(owner == who.number - 1), SAMPLES)] for who in people},
        without={
            who.number: [("With everyone", everyone), ("Without them", subsets[who.without.subset]())]
            for who in people
            if who.without
        },
        models=[(title, _readers([manifest])["everyone-0"]()) for title, manifest in zip(MODELS, models, strict=True)],
        counterfactuals={
            name: [("Retrained on everyone", again), *((REMOVED[key], read[f"{key}-0"]()) for key in REMOVED)]
            for name, read in without_top.items()
        },
    )


def _readers(manifests: Sequence[str]) -> dict[str, Callable[[], np.ndarray]]:
    """Name -> a function that reads the images, of every entry of some collections."""
    return {name: read for manifest in manifests for name, (_, read) in images_of(Path(manifest)).items()}


def _spread(chosen: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the indices, evenly spaced."""
    return chosen[np.linspace(0, len(chosen) - 1, min(most, len(chosen))).astype(int)]
