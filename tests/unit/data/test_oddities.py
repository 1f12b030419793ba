"""Near copies, blank images and noise: what was planted is found, with its number, and real images raise no alarm."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps
from scipy.ndimage import gaussian_filter

from diffusion_credit.data.images import Images, pixel_digests
from diffusion_credit.data.oddities import blank_and_noise, near_copies, oddities_of
from diffusion_credit.data.sources import digits

ROOT = Path(__file__).parents[3]


def pictures(count: int, seed: int = 0) -> list[Image.Image]:
    """Different colourful pictures of 128 x 128 pixels, of soft shapes and some detail."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        soft, detail = (gaussian_filter(rng.normal(size=(128, 128, 3)), (width, width, 0)) for width in (12, 3))
        levels = 128 + 45 * soft / soft.std() + 22 * detail / detail.std()
        found.append(Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)))
    return found


def jpeg(picture: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=40)
    return Image.open(stream)


COPIES = {
    "recompressed": jpeg,
    "smaller": lambda picture: picture.resize((60, 60)),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "with less contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(0.7),
    "cropped": lambda picture: picture.crop((2, 2, 126, 126)),
}


def images(of: dict[str, list[Image.Image]], size: int = 32) -> Images:
    all_of = [picture for found in of.values() for picture in found]
    return Images(
        list(of),
        np.repeat(np.arange(len(of)), [len(found) for found in of.values()]),
        [f"{name}/{i}.png" for name, found in of.items() for i in range(len(found))],
        np.stack([np.asarray(ImageOps.fit(picture, (size, size))) for picture in all_of]),
    )


def notes(found: Images) -> list[str]:
    return oddities_of(found, pixel_digests(found.pixels))


def pairs(found: Images) -> set[tuple[str, ...]]:
    every = near_copies(found, pixel_digests(found.pixels), np.arange(len(found.pixels)))
    return {tuple(sorted(found.source[image] for image in pair)) for some in every for pair in some}


@pytest.mark.parametrize("size", [16, 32, 64])
@pytest.mark.parametrize("kind", COPIES)
def test_copies_that_somebody_changed_a_little_are_found_and_nothing_else(kind: str, size: int) -> None:
    own, others = pictures(40), pictures(40, seed=1)
    taken = [7, 3, 30, 11, 22]
    found = images({"ann": own, "bob": others + [COPIES[kind](own[i]) for i in taken]}, size)
    assert pairs(found) == {(f"ann/{i}.png", f"bob/{40 + n}.png") for n, i in enumerate(taken)}


def test_the_sentence_counts_images_and_names_who_have_most() -> None:
    one, two, three, *rest = pictures(12)
    found = images({"a\nb": [one, two, *rest[:4]], "bob": [jpeg(one), *rest[4:]], "cy": [three, jpeg(two), jpeg(one)]})
    (note,) = notes(found)  # the JPEGs of one are equal: no near copies of each other
    assert note == (
        "5 image(s) of 3 contributors look nearly like an image of somebody else; each keeps its own copy. a b and cy"
        " have most such pairs, 2 of 3. The first pair is a b/0.png and bob/0.png."
    )


def test_copies_within_a_contributor_and_equal_pictures_are_no_near_copies() -> None:
    one, two, *rest = pictures(6)
    assert notes(images({"ann": [one, jpeg(one), two], "bob": [two, *rest]})) == []


def test_neither_order_nor_blocks_change_what_is_found() -> None:
    own = pictures(150)
    found = images({"ann": own, "bob": [jpeg(picture) for picture in own[::3]] + pictures(120, seed=1)}, 16)
    order = np.random.default_rng(0).permutation(len(found.pixels))
    shuffled = Images(
        found.contributors,
        found.owner[order],
        [found.source[i] for i in order],
        np.ascontiguousarray(found.pixels[order]),
    )
    assert pairs(shuffled) == pairs(found) == {(f"ann/{3 * n}.png", f"bob/{n}.png") for n in range(50)}
    assert notes(shuffled)[0].split(" The first")[0] == notes(found)[0].split(" The first")[0]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [16, 32, 100])
def test_noise_is_told_from_pictures_and_from_blanks(size: int, channels: int) -> None:
    rng = np.random.default_rng(0)
    noise = np.stack([rng.integers(0, 256, (size, size, channels)), rng.normal(128, 30, (size, size, channels))])
    blank = np.stack([np.full((size, size, channels), 255), rng.integers(80, 82, (size, size, channels))])
    real = np.stack([ImageOps.fit(picture, (size, size)) for picture in pictures(20)])[..., :channels]
    board = np.indices((1, size, size, channels)).sum(axis=0) % 2 * 255 * (np.arange(channels) < 3)
    stripes = np.broadcast_to(rng.integers(0, 256, (1, size, 1, 1)), (1, size, size, channels))
    pixels = np.concatenate([np.clip(noise, 0, 255), blank, real, board, stripes]).astype(np.uint8)
    found_blank, found_noise = blank_and_noise(pixels)
    assert np.flatnonzero(found_noise).tolist() == [0, 1]
    assert np.flatnonzero(found_blank).tolist() == [2, 3]


def test_sentences_on_blanks_and_noise_say_how_many_and_whose() -> None:
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)) for _ in range(3)]
    white = Image.new("RGB", (32, 32), "white")
    found = images({"ann": pictures(3), "bob": [white, noise[0]], "cy": [*noise[1:], white.convert("RGB")]})
    assert notes(found) == [
        "2 image(s) of 2 contributors look blank. bob has most of them, 1. The first is bob/0.png.",
        "3 image(s) of 2 contributors look like random noise. cy has most of them, 2. The first is bob/1.png.",
    ]
    assert notes(images({"ann": pictures(3), "bob": noise})) == [
        "3 image(s) of bob look like random noise. The first is bob/0.png."
    ]


def test_the_digits_raise_no_alarm_and_paler_copies_of_them_do() -> None:
    found = digits.read(digits.Options(source="digits"))
    assert notes(found) == []
    paler = np.clip(found.pixels[:20] * 0.9 + 20, 0, 255).astype(np.uint8)
    rider = Images(
        [*found.contributors, "rider"],
        np.append(found.owner, np.full(20, 10)),
        [*found.source, *(f"rider/{i}" for i in range(20))],
        np.concatenate([found.pixels, paler]),
    )
    (note,) = notes(rider)
    assert note.startswith("40 image(s) of 11 contributors look nearly like")


def test_of_the_clipart_only_a_few_flags_look_alike() -> None:
    folder = ROOT / "resources" / "clipart"
    with (folder / "provenance.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    drawings: dict[str, list[Image.Image]] = {}
    for row in rows:
        drawings.setdefault(row["artist"], []).append(Image.open(folder / "images" / row["file"]).convert("RGB"))
    found = images(drawings)
    named = {image for pair in pairs(found) for image in pair}
    assert len(found.pixels) == 1155
    assert 0 < len(named) < 12
    assert {image.split("/")[0] for image in named} == {"Caleb Moore", "Tobias Jakobs"}  # who draw such flags
    assert len(notes(found)) == 1  # nothing is blank or noise


def test_images_too_small_for_any_of_it_are_said_to_be() -> None:
    (note,) = notes(images({"ann": pictures(2), "bob": pictures(2)}, size=7))
    assert note.startswith("Images below 8 x 8 pixels are too small")
