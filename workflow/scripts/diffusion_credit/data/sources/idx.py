"""MNIST, Fashion-MNIST, and whatever else comes as two IDX files; contributors are classes or mixtures of them."""

from pathlib import Path
from typing import Literal, Self

import numpy as np
from PIL import Image, ImageOps
from pydantic import Field, model_validator

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import SourceSection
from diffusion_credit.data import image_files, made_up
from diffusion_credit.data.idx_files import OFFICIAL, read_idx
from diffusion_credit.data.images import Images
from diffusion_credit.data.made_up import Mixtures, Planted


class Options(SourceSection):
    """Grey images and their classes in two IDX files, compressed or not, as MNIST and Fashion-MNIST come."""

    source: Literal["idx"]
    images: str = Field(min_length=1, description="The file of the images, such as `train-images-idx3-ubyte.gz`.")
    labels: str = Field(min_length=1, description="The file of their classes, such as `train-labels-idx1-ubyte.gz`.")
    dataset: Literal["mnist", "fashion_mnist"] | None = Field(
        default=None,
        description="The data set whose training part the files must be, by the digests of their uncompressed content."
        " Classes then have names. Without it any files are taken, and classes are called `class 0`, `class 1`, ...",
    )
    size: int | None = Field(
        default=None,
        ge=4,
        description="Images are cropped to their central square and resized to size x size pixels. Without it they stay"
        " as they are.",
    )
    classes: list[str] | None = Field(
        default=None, min_length=1, description="Names of the classes that take part. Without it all do."
    )
    each: int | None = Field(
        default=None, ge=1, description="Images of each class: the first ones of the file. Without it all."
    )
    captions: bool = Field(default=False, description="Give each image the name of its class as its text.")
    mixtures: Mixtures | None = Field(
        default=None, description="Contributors that have images of several classes. Without it classes contribute."
    )
    planted: Planted = Field(
        default=Planted(), description="Further contributors whose worth is known, for studies of the method."
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.mixtures and self.each:
            raise ValueError(f"each: found {self.each} beside mixtures, expected only mixtures.images")
        for name in self.planted.near_copies:
            if self.planted.near_copies.count(name) > 1:
                raise ValueError(f"planted.near_copies: found {name!r} twice, expected each once")
        if self.captions and self.planted.noise:
            raise ValueError("captions: found together with planted.noise, expected only one, as noise has no class")
        return self

    def captioned(self) -> bool:
        return self.captions


def read(options: Options) -> Images:
    """Read the images that take part, (size, size, 1), contributors in the order of classes or of the draw.

    Raises UserError on files that are not in the format, are cut short or do not belong together, on other digests
    than the data set's, on unknown classes, and when a class has no images or too few.
    """
    official = OFFICIAL[options.dataset] if options.dataset else None
    digests = (official.images, official.labels) if official else (None, None)
    pixels = read_idx(options.images, 3, digests[0], "images")
    label = read_idx(options.labels, 1, digests[1], "labels")
    if len(label) != len(pixels):
        raise UserError(f"{options.labels}: found {len(label)} labels, expected one for each of {len(pixels)} images")
    names = official.classes if official else tuple(f"class {k}" for k in range(int(label.max()) + 1))
    classes = _classes(options, names)
    for k in classes:
        if k not in label:
            raise UserError(f"{options.labels}: found no image of {names[k]}, expected images of every class")
    if options.mixtures:
        contributors = [f"mixture {number:02d}" for number in range(1, options.mixtures.contributors + 1)]
        hands = made_up.deal(options.mixtures, label, classes, names)
    else:
        contributors = [names[k] for k in classes]
        hands = [np.flatnonzero(label == k)[: options.each] for k in classes]
    chosen = np.concatenate(hands)
    file = Path(options.images).name
    texts = [names[k] for k in label[chosen]]
    found = Images(
        contributors,
        np.repeat(np.arange(len(hands)), list(map(len, hands))),
        [f"{file}[{number}] {text}" for number, text in zip(chosen, texts, strict=True)],
        _resized(pixels[chosen], options.size),
        () if official else (f"{options.images}: its checksum was not looked at (data.dataset is not given)",),
        labels=np.searchsorted(classes, label[chosen]),
        captions=texts if options.captions else None,
    )
    return _with_planted(found, options.planted)


def _classes(options: Options, names: tuple[str, ...]) -> list[int]:
    """Numbers of the classes that take part, ascending. Raises UserError on an unknown or repeated name."""
    wanted = names if options.classes is None else options.classes
    for name in wanted:
        if name not in names:
            raise UserError(f"config: data.classes: found {name!r}, expected some of {', '.join(names)}")
        if wanted.count(name) > 1:
            raise UserError(f"config: data.classes: found {name!r} twice, expected each once")
    return sorted(map(names.index, wanted))


def _resized(pixels: np.ndarray, size: int | None) -> np.ndarray:
    """(images, height, width) -> (images, size, size, 1), or the same images with a channel."""
    if size is None:
        return pixels[..., None]
    squares = (ImageOps.fit(Image.fromarray(image), (size, size), Image.Resampling.LANCZOS) for image in pixels)
    return np.stack([np.asarray(square) for square in squares])[..., None]


def _with_planted(found: Images, planted: Planted) -> Images:
    """The same images, and those of planted contributors after them: copiers, then noise."""
    pixels, added, sources = [found.pixels], [], []
    captions = found.captions
    labels = [np.asarray(found.labels)]
    for name in planted.near_copies:
        if name not in found.contributors:
            raise UserError(
                f"config: data.planted.near_copies: found {name!r}, expected some of {', '.join(found.contributors)}"
            )
        copied = np.flatnonzero(found.owner == found.contributors.index(name))
        pixels.append(made_up.near_copies(found.pixels[copied], name))
        added.append(f"near copies of {name}")
        sources += [f"near copy of {found.source[image]}" for image in copied]
        captions = captions and [*captions, *(captions[image] for image in copied)]
        labels.append(labels[0][copied])
    each = len(found.pixels) // len(found.contributors)
    for number in range(1, planted.noise + 1):
        pixels.append(made_up.noise((each, *found.pixels.shape[1:]), number))
        added.append(f"noise {number}")
        sources += [f"noise {number}[{image}]" for image in range(each)]
        labels.append(np.full(each, labels[0].max() + 1))
    owners = [np.full(len(images), len(found.contributors) + i) for i, images in enumerate(pixels[1:])]
    return Images(
        [*found.contributors, *added],
        np.concatenate([found.owner, *owners]),
        [*found.source, *sources],
        np.concatenate(pixels),
        (*found.notes, *(f"{name}: planted, its images are made up (data.planted)" for name in added)),
        labels=np.concatenate(labels),
        captions=captions,
    )


def fingerprint(options: Options) -> str:
    """Changes with the two files."""
    files = [Path(options.images), Path(options.labels)]
    return image_files.fingerprint(files[0].parent, files)
