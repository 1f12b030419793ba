"""Images that deserve a look before anything is trained: blank ones, noise, and near copies between contributors.

Nothing is dropped. All thresholds were chosen by measurement on real images: docs/data.md has the figures.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from diffusion_credit.base.names import printable
from diffusion_credit.data.images import Images, to_picture

SMALLEST = 8  # pixels a side; smaller images tell too little
BLANK = 1.0  # levels of 255 that the pixels of the most varied channel deviate by
FLAT, NEIGHBOURS = 0.4, 0.25  # noise has a flatter spectrum than FLAT and neighbours that correlate less
WINDOW = 64  # pixels a side of the middle of an image that noise is looked for in: noise is the same everywhere
SURE, LIKELY, BITS = 0.995, 0.96, 8  # correlation of a copy; the least of one whose hash differs in at most BITS of 64
TINY, ALIKE = 16, 0.99  # below TINY pixels a side hashes of different images agree: only a correlation of ALIKE counts
TOGETHER = 128  # images that are looked at at once, which bounds the memory


def oddities_of(images: Images, digests: Sequence[str]) -> list[str]:
    """Sentences about blank images, noise and near copies. digests: equal for equal pictures, which are no near ones.

    Of the order of the images only the examples depend: each is the first.
    """
    if min(images.pixels.shape[1:3]) < SMALLEST:
        return [f"Images below {SMALLEST} x {SMALLEST} pixels are too small to look for near copies, blanks and noise."]
    blank, noise = blank_and_noise(images.pixels)
    notes = [_copied(images, digests, ~blank), _odd(images, blank, "blank"), _odd(images, noise, "like random noise")]
    return [note for note in notes if note]


def blank_and_noise(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which (images,) bool of the (images, height, width, channels) uint8 are blank, and which of the others noise.

    Noise has a flat spectrum (J. D. Johnston, Transform coding of audio signals using perceptual noise criteria, 1988,
    doi:10.1109/49.608: geometric mean of the power over the arithmetic one) and neighbours that do not correlate.
    """
    height, width = (max(0, (length - WINDOW) // 2) for length in pixels.shape[1:3])
    blank, noise = np.empty(len(pixels), dtype=bool), np.empty(len(pixels), dtype=bool)
    for start in range(0, len(pixels), TOGETHER):
        rows = slice(start, start + TOGETHER)
        blank[rows] = pixels[rows].std(axis=(1, 2), dtype=np.float32).max(axis=-1) < BLANK
        middle = pixels[rows, height : height + WINDOW, width : width + WINDOW].astype(np.float64)
        middle -= middle.mean(axis=(1, 2), keepdims=True)
        energy = (middle**2).mean(axis=(1, 2, 3))
        down = abs((middle[:, 1:] * middle[:, :-1]).mean(axis=(1, 2, 3)))
        across = abs((middle[:, :, 1:] * middle[:, :, :-1]).mean(axis=(1, 2, 3)))
        power = (np.abs(np.fft.fft2(middle, axes=(1, 2))) ** 2).sum(axis=-1).reshape(len(middle), -1)[:, 1:] + 1e-9
        flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1)
        noise[rows] = ~blank[rows] & (flatness > FLAT) & (np.maximum(down, across) < NEIGHBOURS * energy)
    return blank, noise


def near_copies(images: Images, digests: Sequence[str], chosen: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs (pairs, 2) of near copies of different contributors among the images with numbers `chosen`, in parts.

    Their thumbnails of 8 x 8 pixels in colour, less each colour's mean, correlate very well, or well while the images'
    perceptual hashes agree: 64 bits on a grey image's lowest 8 x 8 frequencies (pHash: C. Zauner, Implementation and
    Benchmarking of Perceptual Image Hash Functions, 2010). Hashes alone take flags for one another.
    """
    import imagehash  # here, as every later stage imports this module through the index

    small = np.array([_thumbnail(images.pixels[image]) for image in chosen])
    picture = np.unique(np.array(digests)[chosen], return_inverse=True)[1]
    owner = images.owner[chosen]
    hashes, known = np.zeros(len(chosen), dtype=np.uint64), np.zeros(len(chosen), dtype=bool)
    tiny = min(images.pixels.shape[1:3]) < TINY
    for start in range(0, len(chosen), TOGETHER):  # every pair is compared: nothing of the size of all pairs is kept
        alike = small[start : start + TOGETHER] @ small[start:].T
        first, second = (found + start for found in np.nonzero(alike >= (ALIKE if tiny else LIKELY)))
        new = (first < second) & (owner[first] != owner[second]) & (picture[first] != picture[second])
        first, second = first[new], second[new]
        copies = tiny | (alike[first - start, second - start] >= SURE)
        for image in np.unique([first[~copies], second[~copies]]):
            if not known[image]:
                bits = imagehash.phash(to_picture(images.pixels[chosen[image]])).hash
                hashes[image], known[image] = np.packbits(bits).view(np.uint64)[0], True
        copies |= known[first] & known[second] & (np.bitwise_count(hashes[first] ^ hashes[second]) <= BITS)
        yield chosen[np.stack([first[copies], second[copies]], axis=1)]


def _copied(images: Images, digests: Sequence[str], chosen: np.ndarray) -> str:
    """How many of the chosen images, (images,) bool, have near copies, and whose they are; nothing if none has."""
    copied = np.zeros(len(images.pixels), dtype=bool)
    pairs: Counter[tuple[int, ...]] = Counter()
    first: list[int] = []
    for found in near_copies(images, digests, np.flatnonzero(chosen)):
        copied[found] = True
        owners, counts = np.unique(np.sort(images.owner[found], axis=1), axis=0, return_counts=True)
        pairs.update(dict(zip(map(tuple, owners.tolist()), counts.tolist(), strict=True)))
        first = first or found[:1].ravel().tolist()
    if not pairs:
        return ""
    most = min(pairs, key=lambda pair: (-pairs[pair], pair))
    one, other = (printable(images.contributors[who]) for who in most)
    return (
        f"{copied.sum()} image(s) of {len(np.unique(images.owner[copied]))} contributors look nearly like an image of"
        f" somebody else; each keeps its own copy. {one} and {other} have most such pairs, {pairs[most]} of"
        f" {pairs.total()}. The first pair is {' and '.join(printable(images.source[image]) for image in first)}."
    )


def _odd(images: Images, odd: np.ndarray, look: str) -> str:
    """How many images look like that, and whose they are; nothing if there are none."""
    if not odd.any():
        return ""
    counts = np.bincount(images.owner[odd])
    name, of, most = printable(images.contributors[int(counts.argmax())]), (counts > 0).sum(), ""
    if of > 1:
        name, most = f"{of} contributors", f" {name} has most of them, {counts.max()}."
    return f"{odd.sum()} image(s) of {name} look {look}.{most} The first is {printable(images.source[odd.argmax()])}."


def _thumbnail(pixels: np.ndarray) -> np.ndarray:
    """Pixels as a vector of length 1, whose dot product with another one is their correlation."""
    small = np.asarray(to_picture(pixels).resize((SMALLEST, SMALLEST), Image.Resampling.BOX), dtype=np.float32)
    vector = (small - small.mean(axis=(0, 1))).ravel()
    length: np.ndarray = vector / max(float(np.linalg.norm(vector)), 1e-6)
    return length
