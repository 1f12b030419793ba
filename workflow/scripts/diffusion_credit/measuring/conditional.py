"""A subset's property without a model of its own: of images that one model draws for the subset's contributors.

The model of everyone is told each image's contributor. For a subset it is asked for images of its contributors alone,
in the proportions of their training images, which stands in for a model trained on them. Source: Lu et al.,
SurrogateSHAP, arXiv 2601.22276.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from diffusion_credit.base.collection import EMPTY, contributor_entry, entries
from diffusion_credit.base.files import announce
from diffusion_credit.base.seeds import generator
from diffusion_credit.data.images import ZIP, write_zip
from diffusion_credit.measuring.features import images_of, read_features, reader
from diffusion_credit.measuring.properties import Property


class Pool:
    """What was made of every contributor's images: features, or the images themselves; arrays (images, ...) each."""

    def __init__(self, source: Path, images: bool, counts: np.ndarray) -> None:
        """source: manifest of a collection of images, or of features. counts: training images of each contributor."""
        self.counts, self.digests = counts, {name: digest for name, (_, digest) in entries(source).items()}
        if images:
            arrays = {name: {"images": read()} for name, (_, read) in images_of(source).items()}
        else:
            arrays = {name: read_features(folder) for name, (folder, _) in entries(source).items()}
        self.empty = arrays[EMPTY]
        everyone = [arrays[contributor_entry(number)] for number in range(len(counts))]
        self.arrays = {key: np.stack([of[key] for of in everyone]) for key in self.empty}

    def drawn(self, members: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        """Arrays of as many images as a model makes, for a subset (contributors,) bool; image j starts from noise j."""
        if not members.any():
            return self.empty
        shares = np.where(members, self.counts, 0) / self.counts[members].sum()
        images = len(next(iter(self.empty.values())))
        whose = generator(seed, "whose").choice(len(members), size=images, p=shares)
        return {key: array[whose, np.arange(images)] for key, array in self.arrays.items()}


def value_of(module: Property, options: dict[str, Any], arrays: dict[str, np.ndarray], reference: Any) -> float:
    """A property of drawn arrays, also where it is made from a folder of images."""
    if module.Options.reads == "features":
        return float(module.evaluate(arrays, options, reference))
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_zip(folder / ZIP, arrays["images"])
        announce(folder, [ZIP])
        return float(module.evaluate(reader(module)(folder), options, reference))
