"""Image folders with hostile names and odd files; zips of PNGs; noise."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.seeds import named_seed, noise
from diffusion_credit.data.images import Images, read_zip, to_float, to_uint8, write_zip
from diffusion_credit.data.index import Index, shared_pictures, write_index
from diffusion_credit.data.sources import digits, image_folder

HOSTILE = [
    "a b", "..\\..\\etc", "<img onerror=alert(1)>", "O'Brien \"x\"", "ünïcode 画家", "=1+1", "value", "NA", "{x}",
    "Ann", "ann", "name, with comma", "line\nbreak", "%s$HOME`id`",
]  # fmt: skip


def folder(root: Path, names: list[str], images: int = 3) -> Path:
    rng = np.random.default_rng(0)
    for name in names:
        (root / name).mkdir(parents=True)
        for i in range(images):
            Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)).save(root / name / f"{i} ü.png")
    return root


def read(root: Path, **options: object) -> Images:
    return image_folder.read(
        image_folder.Options.model_validate({"source": "image_folder", "path": str(root), "size": 8, **options})
    )


def index(images: Images, where: Path) -> list[str]:
    return write_index(images, where / "index.csv", where / "pixels.npy", where / "index.json")


def test_hostile_names_are_data(tmp_path: Path) -> None:
    images = read(folder(tmp_path / "raw", HOSTILE))
    assert sorted(images.contributors) == sorted(HOSTILE)
    index(images, tmp_path / "out")
    assert Index(tmp_path / "out" / "index.json").contributors == images.contributors
    assert {path.name for path in tmp_path.rglob("*") if path.is_file() and "raw" not in path.parts} == {
        "index.csv", "index.json", "pixels.npy",
    }  # fmt: skip


def test_pixels_are_cropped_to_the_central_square(tmp_path: Path) -> None:
    array = np.zeros((8, 16, 3), dtype=np.uint8)
    array[:, 4:12] = 200
    for name in "ab":
        (tmp_path / name).mkdir()
        Image.fromarray(array).save(tmp_path / name / "x.png")
    assert (read(tmp_path).pixels == 200).all()
    assert read(tmp_path, mode="L").pixels.shape == (2, 8, 8, 1)


def test_transparency_is_white_and_exif_turns(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.fromarray(np.zeros((8, 8, 4), dtype=np.uint8)).save(tmp_path / "a" / "clear.png")
    turned = Image.fromarray(np.vstack([np.zeros((4, 8), np.uint8), np.full((4, 8), 255, np.uint8)]))
    exif = turned.getexif()
    exif[0x0112] = 3  # upside down
    turned.save(tmp_path / "a" / "turned.png", exif=exif)
    folder(tmp_path, ["b"])
    clear, upright = read(tmp_path, mode="L").pixels[:2, ..., 0]
    assert (clear == 255).all()
    assert upright[0].min() > upright[-1].max()


@pytest.mark.parametrize("kind", ["truncated", "text", "sixteen"])
def test_unreadable_images_are_named(tmp_path: Path, kind: str) -> None:
    folder(tmp_path, ["a", "b"])
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)).save(stream, "PNG")
    bad = tmp_path / "b" / "bad.png"
    bad.write_bytes(stream.getvalue()[:900] if kind == "truncated" else b"no image")
    if kind == "sixteen":
        Image.fromarray(np.zeros((8, 8), dtype=np.uint16)).save(bad)
    with pytest.raises(UserError, match=r"bad\.png"):
        read(tmp_path)


def test_hidden_files_and_folders_do_not_count(tmp_path: Path) -> None:
    folder(tmp_path, ["a", "b", ".cache", "a/.thumbnails"])
    (tmp_path / "a" / "._1.png").write_bytes(b"no image")
    found = read(tmp_path)
    assert found.contributors == ["a", "b"]
    assert len(found.pixels) == 6
    assert found.notes == ("left out 3 hidden file(s) or folder(s) (such as .cache, a/._1.png, a/.thumbnails)",)


def test_few_images_leave_a_contributor_out_and_none_is_an_error(tmp_path: Path) -> None:
    folder(tmp_path, ["many"], 5)
    folder(tmp_path, ["few"], 2)
    found = read(tmp_path, minimum_images=3)
    assert found.contributors == ["many"]
    assert any("few" in note and "2 images" in note for note in found.notes)
    with pytest.raises(UserError, match="1 contributor"):
        index(found, tmp_path / "out")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UserError, match="nothing: found no image"):
        read(tmp_path)


def test_pictures_of_two_contributors_are_counted(tmp_path: Path) -> None:
    folder(tmp_path / "raw", ["a", "b"])
    (tmp_path / "raw" / "b" / "copy.png").write_bytes((tmp_path / "raw" / "a" / "0 ü.png").read_bytes())
    warning, _ = index(read(tmp_path / "raw"), tmp_path / "out")  # the other one: they are noise
    assert warning.startswith("1 picture")
    assert "a/0 ü.png and b/copy.png" in warning
    assert shared_pictures(["x", "x", "y", "y", "y"], [0, 0, 0, 1, 1]) == [[2, 3]]


def test_the_fingerprint_sees_changes_and_not_times(tmp_path: Path) -> None:
    options = image_folder.Options(source="image_folder", path=str(folder(tmp_path, ["a", "b"])), size=8)
    first = image_folder.fingerprint(options)
    file = tmp_path / "a" / "0 ü.png"
    file.touch()
    assert image_folder.fingerprint(options) == first
    data = bytearray(file.read_bytes())
    data[-20] ^= 1
    file.write_bytes(data)
    assert image_folder.fingerprint(options) != first


def test_the_digits_are_scikit_learns() -> None:
    images = digits.read(digits.Options(source="digits"))
    assert len(images.pixels) == 1797
    assert np.bincount(images.owner).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.pixels.max() == 255


def test_zips_keep_every_pixel_and_are_the_same_each_time(tmp_path: Path) -> None:
    for channels in (1, 3):
        pixels = np.random.default_rng(1).integers(0, 256, (5, 6, 7, channels), dtype=np.uint8)
        for name in ("a.zip", "b.zip"):
            write_zip(tmp_path / name, pixels)
        assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
        assert (read_zip(tmp_path / "a.zip") == pixels).all()
        with zipfile.ZipFile(tmp_path / "a.zip") as archive:
            assert archive.namelist() == [f"{i:05d}.png" for i in range(5)]
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(UserError, match=r"a\.zip"):
        read_zip(tmp_path / "a.zip")


def test_pixels_survive_the_way_to_the_network_and_back() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    assert (to_uint8(to_float(pixels)) == pixels).all()


def test_an_images_noise_does_not_depend_on_its_neighbours() -> None:
    together = noise(5, 0, 8, (1, 4, 4))
    assert (noise(5, 3, 6, (1, 4, 4)) == together[3:6]).all()
    assert (noise(6, 0, 8, (1, 4, 4)) != together).all()
    assert noise(5, 0, 4000, (4,)).std() == pytest.approx(1, abs=0.03)


def test_seeds_differ_by_purpose_and_stay_exact_in_json() -> None:
    seeds = {named_seed(0, *purpose) for purpose in [("a", 1), ("a", 2), ("b", 1), ("a", "1"), ("a1",)]}
    assert len(seeds) == 5
    assert max(seeds) < 2**48
