"""IDX files, and the contributors that are made up of their images."""

import gzip
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from studies import FASHION_MNIST

from diffusion_credit.base.errors import UserError
from diffusion_credit.data.idx_files import LARGEST, OFFICIAL
from diffusion_credit.data.images import Images, pixel_digests
from diffusion_credit.data.oddities import oddities_of
from diffusion_credit.data.sources import idx


def write(folder: Path, images: int = 60, classes: int = 3, height: int = 12, width: int = 12) -> dict[str, str]:
    """Smooth images of a few classes, one after the other; the options that name the two files."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (images, 3, 3))
    pixels = np.kron(coarse, np.ones((height // 3, width // 3))).astype(np.uint8)
    header = struct.pack(">BBBBIII", 0, 0, 8, 3, images, height, width)
    (folder / "images").write_bytes(header + pixels.tobytes())
    labels = bytes(i % classes for i in range(images))
    (folder / "labels").write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, images) + labels)
    return {"images": str(folder / "images"), "labels": str(folder / "labels")}


def read(**options: Any) -> Images:
    return idx.read(idx.Options.model_validate({"source": "idx", **options}))


def test_images_are_the_files_bytes_compressed_or_not(tmp_path: Path) -> None:
    files = write(tmp_path, height=6, width=9)
    found = read(**files, classes=["class 2", "class 0"])
    raw = (tmp_path / "images").read_bytes()[16:]
    of_two = [raw[i * 54 : (i + 1) * 54] for i in range(2, 60, 3)]
    assert found.contributors == ["class 0", "class 2"]
    assert [image.tobytes() for image in found.pixels[found.owner == 1]] == of_two
    assert found.pixels.shape == (40, 6, 9, 1)
    assert found.source[20] == "images[2] class 2"
    for name in ("images", "labels"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    packed = read(**{key: f"{path}.gz" for key, path in files.items()}, classes=["class 2", "class 0"])
    assert (packed.pixels == found.pixels).all() and (packed.owner == found.owner).all()
    first = read(**files, each=4)
    assert np.bincount(first.owner).tolist() == [4, 4, 4]
    assert first.pixels[0].tobytes() == raw[:54]


def test_fashion_mnist_is_the_published_one() -> None:
    """Mean and deviation of the training images are those that everybody normalises by: .2860 and .3530."""
    if not FASHION_MNIST.is_dir():
        pytest.skip("Debian's dataset-fashion-mnist is not installed")
    files = {name: str(FASHION_MNIST / f"train-{name}-idx{k}-ubyte.gz") for name, k in (("images", 3), ("labels", 1))}
    found = read(**files, dataset="fashion_mnist", captions=True)
    assert np.bincount(found.owner).tolist() == [6000] * 10
    assert found.pixels.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert found.pixels.std() / 255 == pytest.approx(0.3530, abs=5e-5)
    assert found.captions is not None
    assert Counter(found.captions) == dict.fromkeys(OFFICIAL["fashion_mnist"].classes, 6000)
    with pytest.raises(
        UserError, match=r"train-images.*: found the sha256 c59f.* of its uncompressed content, expected"
    ):
        read(**files, dataset="mnist")


def test_mixtures_are_dealt_without_sharing_and_do_not_depend_on_their_number(tmp_path: Path) -> None:
    files = write(tmp_path, images=900)
    options = {"contributors": 8, "images": 30, "concentration": 1.0}
    found = read(**files, mixtures=options)
    assert found.contributors == [f"mixture {i:02d}" for i in range(1, 9)]
    assert np.bincount(found.owner).tolist() == [30] * 8
    assert len(set(found.source)) == 240, "an image was dealt twice"
    more = read(**files, mixtures={**options, "contributors": 9})
    assert more.source[:240] == found.source and (more.pixels[:240] == found.pixels).all()
    other = read(**files, mixtures={**options, "seed": 1})
    assert other.source != found.source


@pytest.mark.parametrize("concentration", [0.1, 1.0, 10.0])
def test_shares_vary_as_dirichlet_says(tmp_path: Path, concentration: float) -> None:
    """The variance of a share of k classes is (k-1)/k² / (k a + 1), and of a draw of m images 1/m of the rest more."""
    classes, images, contributors = 3, 20, 400
    files = write(tmp_path, images=30_000, height=3, width=3)
    mixtures = {"contributors": contributors, "images": images, "concentration": concentration}
    found = read(**files, mixtures=mixtures)
    label = np.array([int(source[-1]) for source in found.source]).reshape(contributors, images)
    shares = np.stack([(label == k).mean(axis=1) for k in range(classes)])
    mean = 1 / classes
    variance = mean * (1 - mean) / (classes * concentration + 1)
    variance += (mean * (1 - mean) - variance) / images
    assert shares.mean(axis=1) == pytest.approx([mean] * 3, abs=4 * (variance / contributors) ** 0.5)
    assert shares.var() == pytest.approx(variance, rel=0.2)


def test_planted_contributors_are_what_the_index_warns_of(tmp_path: Path) -> None:
    """Near copies and noise are found by the look through the images that knows nothing of them."""
    files = write(tmp_path, images=90, height=30, width=30)
    found = read(**files, size=16, planted={"near_copies": ["class 1"], "noise": 2})
    assert found.contributors == ["class 0", "class 1", "class 2", "near copies of class 1", "noise 1", "noise 2"]
    assert np.bincount(found.owner).tolist() == [30] * 6
    assert len(set(pixel_digests(found.pixels))) == 180
    near, noise = oddities_of(found, pixel_digests(found.pixels))
    assert "class 1 and near copies of class 1 have most such pairs" in near
    assert noise.startswith("60 image(s) of 2 contributors look like random noise")
    assert list(found.notes[1:]) == [
        f"{name}: planted, its images are made up (data.planted)" for name in found.contributors[3:]
    ]


Change = Callable[[Path], object]


def rewrite(name: str, change: Callable[[bytes], bytes]) -> Change:
    def apply(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return apply


HOSTILE: dict[str, tuple[Change, dict[str, Any], str]] = {
    "no file": (lambda folder: (folder / "images").unlink(), {}, "data.images: {folder}/images: no such file or directory, expected a file in the IDX format (docs/data.md)"),
    "a folder": (lambda folder: [(folder / "labels").unlink(), (folder / "labels").mkdir()], {}, "data.labels: {folder}/labels: is a directory, expected a file in the IDX format (docs/data.md)"),
    "cut short": (rewrite("images", lambda content: content[:-7]), {}, "{folder}/images: found 8633 bytes after its header, expected 8640"),
    "cut in its header": (rewrite("images", lambda content: content[:9]), {}, "{folder}/images: found the end of the file in its header, expected the array's size"),
    "empty": (rewrite("labels", lambda content: b""), {}, "{folder}/labels: found b'' at its start, expected two zeros as in the IDX format"),
    "something else": (rewrite("images", lambda content: b"\x89PNG" + content), {}, "{folder}/images: found b'\\x89PNG' at its start, expected two zeros as in the IDX format"),
    "more than it says": (rewrite("labels", lambda content: content + b"\0"), {}, "{folder}/labels: found more than the 60 bytes that its header says"),
    "numbers of four bytes": (rewrite("images", lambda content: b"\0\0\x0d\3" + content[4:]), {}, "{folder}/images: found an array of type 13 with 3 dimensions, expected bytes (type 8) with 3"),
    "the files exchanged": (lambda folder: None, {"images": "labels", "labels": "images"}, "{folder}/labels: found an array of type 8 with 1 dimensions, expected bytes (type 8) with 3"),
    "a bomb": (rewrite("images", lambda content: gzip.compress(content[:4] + b"\xff" * 12)), {}, "{folder}/images: found a header of 4294967295 x 4294967295 x 4294967295 bytes, expected between 1 and " + f"{LARGEST} bytes"),
    "no image": (rewrite("images", lambda content: content[:4] + bytes(12)), {}, "{folder}/images: found a header of 0 x 0 x 0 bytes, expected between 1 and " + f"{LARGEST} bytes"),
    "half a gzip": (rewrite("images", lambda content: gzip.compress(content)[:90]), {}, "{folder}/images: found a damaged gzip file (Compressed file ended before the end-of-stream marker was reached), expected a whole one"),
    "a damaged gzip": (rewrite("labels", lambda content: gzip.compress(content)[:-8] + b"\0" * 8), {}, "{folder}/labels: found a damaged gzip file (CRC check failed"),
    "other labels": (rewrite("labels", lambda content: content[:7] + b"\x3b" + content[8:-1]), {}, "{folder}/labels: found 59 labels, expected one for each of 60 images"),
    "another data set": (lambda folder: None, {"dataset": "mnist"}, "{folder}/images: found the sha256 "),
    "an unknown class": (lambda folder: None, {"classes": ["Boot"]}, "config: data.classes: found 'Boot', expected some of class 0, class 1, class 2"),
    "a class twice": (lambda folder: None, {"classes": ["class 1", "class 1"]}, "config: data.classes: found 'class 1' twice, expected each once"),
    "a class without images": (rewrite("labels", lambda content: content.replace(b"\1", b"\2")[:3] + b"\1" + content.replace(b"\1", b"\2")[4:]), {}, "{folder}/labels: found no image of class 1, expected images of every class"),
    "too few images": (lambda folder: None, {"mixtures": {"contributors": 3, "images": 30}}, "config: data.mixtures: found "),
    "an unknown one to copy": (lambda folder: None, {"planted": {"near_copies": ["Boot"]}}, "config: data.planted.near_copies: found 'Boot', expected some of class 0, class 1, class 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    change, options, complaint = HOSTILE[name]
    files = write(tmp_path)
    files |= {key: str(tmp_path / options[key]) for key in files if key in options}
    change(tmp_path)
    with pytest.raises(UserError) as caught:
        read(**files | {key: value for key, value in options.items() if key not in files})
    assert str(caught.value).startswith(complaint.format(folder=tmp_path))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"each": 3, "mixtures": {"contributors": 2, "images": 3}}, "each: found 3 beside mixtures"),
        ({"planted": {"near_copies": ["a", "b", "a"]}}, "planted.near_copies: found 'a' twice"),
        ({"captions": True, "planted": {"noise": 1}}, "captions: found together with planted.noise"),
        ({"mixtures": {"contributors": 1, "images": 3}}, "greater than or equal to 2"),
    ],
)
def test_options_that_do_not_go_together(tmp_path: Path, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        read(**write(tmp_path), **options)
