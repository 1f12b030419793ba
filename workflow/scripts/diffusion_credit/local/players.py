"""Single images as the contributors of a study."""

from dataclasses import replace

import numpy as np

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.seeds import generator
from diffusion_credit.data.images import Images


def as_players(images: Images, validation: int, training: int | None, seed: int) -> tuple[Images, Images]:
    """`training` drawn images (None: all the others) and `validation` held back, each a contributor of its own.

    Names are the image's number among all and its owner's. Raises UserError when there are not enough.
    """
    count = len(images.pixels)
    if validation + (training or 2) > count:
        needed = f"and {'local.training = ' + str(training) if training else 'two'} images for training"
        raise UserError(
            f"config: local.validation: found {validation} {needed}, expected at most {count} images in all"
        )
    drawn = generator(seed, "validation").permutation(count)
    held_back, kept = np.sort(drawn[:validation]), np.sort(drawn[validation:][:training])
    return _single(images, kept), _single(images, held_back)


def _single(images: Images, chosen: np.ndarray) -> Images:
    return replace(
        images,
        contributors=[f"{image:05d} {images.contributors[images.owner[image]]}" for image in chosen],
        owner=np.arange(len(chosen)),
        source=[images.source[image] for image in chosen],
        pixels=images.pixels[chosen],
        labels=images.owner[chosen],
        captions=images.captions and [images.captions[image] for image in chosen],
    )
