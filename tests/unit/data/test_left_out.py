"""No image vanishes and no name splits without a word: whatever lies in folders, and how names are written."""

import io
import os
import tempfile
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.names import look_alike
from diffusion_credit.data.formats import readable
from diffusion_credit.data.images import Images, pixel_digests
from diffusion_credit.data.index import notes_of
from diffusion_credit.data.sources import image_folder, image_table


def picture(seed: int, size: tuple[int, int] = (9, 12)) -> Image.Image:
    """Smooth, so that it is no noise and survives formats that lose a little."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (3, 3, 3), dtype=np.uint8))
    return small.resize(size[::-1], Image.Resampling.BICUBIC)


def save(path: Path, seed: int = 0, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(seed).save(path, **options)
    return path


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Two contributors with two pictures each."""
    for seed, name in enumerate(("ana/0", "ana/1", "ben/0", "ben/1")):
        save(tmp_path / f"raw/{name}.png", seed)
    return tmp_path / "raw"


def read(root: Path, **options: object) -> Images:
    return image_folder.read(
        image_folder.Options.model_validate({"source": "image_folder", "path": str(root), "size": 8, **options})
    )


def sources(images: Images) -> list[str]:
    return [source for source in images.source if source not in ("ana/0.png", "ana/1.png", "ben/0.png", "ben/1.png")]


# What people hand in beside PNG, JPEG, WebP, TIFF, GIF and BMP
READ = ["apng", "avif", "bmp", "gif", "JFIF", "jp2", "jpe", "jpeg", "j2k", "png", "ppm", "qoi", "tga", "tif", "webp"]


@pytest.mark.parametrize("ending", READ)
def test_a_format_that_pillow_reads_is_read(raw: Path, ending: str) -> None:
    drawn = picture(7, (8, 8))
    drawn.save(raw / f"ana/x.{ending}")
    found = read(raw)
    assert sources(found) == [f"ana/x.{ending}"] and not found.notes
    assert np.abs(found.pixels[2].astype(int) - np.asarray(drawn)).mean() < 20  # some formats lose a little colour


def test_heic_is_read_with_its_plugin(raw: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(picture(7, (64, 64))).save(raw / "ana/x.heic", quality=100)
    found = read(raw)
    assert sources(found) == ["ana/x.heic"]
    assert np.abs(found.pixels[2].astype(int) - np.asarray(picture(7, (64, 64)).resize((8, 8), 1))).mean() < 12


def test_images_that_cannot_be_read_are_named(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ana/x.HEIC", "ben/y.cr2", "ben/z.svg", "ben/z.psd"):
        (raw / name).write_bytes(b"x")
    without = {ending: name for ending, name in readable().items() if name != "HEIF"}
    monkeypatch.setattr("diffusion_credit.data.formats.readable", lambda: without)
    assert read(raw).notes == (
        "left out 4 image(s) in a format that is not read (such as ana/x.HEIC, ben/y.cr2, ben/z.psd)",
    )


def test_the_plugin_that_reads_a_format_makes_the_index_again(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (raw / "ana/x.heic").write_bytes(b"x")
    options = image_folder.Options(source="image_folder", path=str(raw), size=8)
    prints = []
    for formats in ({".png": "PNG"}, {".png": "PNG", ".heic": "HEIF"}):
        monkeypatch.setattr("diffusion_credit.data.formats.readable", lambda formats=formats: formats)
        prints.append(image_folder.fingerprint(options))
    assert prints[0] != prints[1]


def test_what_a_system_left_behind_is_no_picture(raw: Path) -> None:
    for name in ("ana/@eaDir/thumb.jpg", "ben/__MACOSX/x.png", "ben/#recycle/y.png"):
        save(raw / name)
    (raw / "ben/Thumbs.db").write_bytes(b"x")
    found = read(raw)
    assert not sources(found)
    assert found.notes == (
        "left out 4 thumbnail(s) and other leftovers of a system (such as ana/@eaDir, ben/#recycle, ben/Thumbs.db)",
    )


def test_what_lies_beside_the_folders_is_named(raw: Path) -> None:
    save(raw / "stray.png")
    (raw / "notes.txt").write_text("x")
    (note,) = read(raw).notes
    assert note == (
        "left out 2 file(s) beside the contributors' folders, which belong to nobody (such as notes.txt, stray.png)"
    )


def test_links_are_followed_once_and_those_that_lead_nowhere_are_named(raw: Path, tmp_path: Path) -> None:
    save(tmp_path / "elsewhere/a.png", 8)
    save(tmp_path / "elsewhere/deep/b.png", 9)
    os.symlink(tmp_path / "elsewhere", raw / "ana/more")
    os.symlink(tmp_path / "elsewhere/a.png", raw / "ben/one.png")
    os.symlink("nowhere", raw / "ben/gone.png")
    os.symlink("circle.png", raw / "ben/circle.png")
    os.symlink(raw / "ana", raw / "ana/again")
    os.symlink("..", raw / "ben/around")  # whose pictures are somebody else's
    os.symlink(tmp_path / "elsewhere/deep", raw / "ana/deep first")  # a part of what another link leads to
    os.symlink("0.png", raw / "ben/same.png")
    os.symlink(tmp_path / "elsewhere/deep", raw / "cleo")  # a contributor whose folder lies elsewhere
    os.mkfifo(raw / "ben/pipe.png")
    found = read(raw)
    assert sources(found) == ["ana/deep first/b.png", "ana/more/a.png", "ben/one.png", "cleo/b.png"]
    assert found.notes == (
        "left out 3 link(s) to what is read already (such as ana/again, ana/more/deep, ben/same.png)",
        "left out 2 link(s) that lead nowhere (such as ben/circle.png, ben/gone.png)",
        "left out 1 pipe(s), socket(s) or device(s) (such as ben/pipe.png)",
        "left out 1 link(s) that lead back to a folder around them (such as ben/around)",
        "read 4 image(s) through links (such as ana/deep first/b.png, ana/more/a.png, ben/one.png)",
    )


def test_of_several_frames_the_first_is_taken_and_said(raw: Path) -> None:
    frames = [picture(seed) for seed in (5, 6, 7)]
    frames[0].save(raw / "ana/moves.gif", save_all=True, append_images=frames[1:])
    frames[0].save(raw / "ana/pages.tiff", save_all=True, append_images=frames[1:])
    found = read(raw)
    assert found.notes[-1].startswith("2 image(s) have several frames, of which the first is taken (such as ")
    pages = found.source.index("ana/pages.tiff")
    alone = save(raw / "ben/first.png", 5)
    assert (found.pixels[pages] == read(raw).pixels[read(raw).source.index("ben/" + alone.name)]).all()


def test_all_images_that_cannot_be_taken_are_named_at_once(raw: Path) -> None:
    (raw / "ana/0.png").write_bytes(b"no image")
    (raw / "ben/1.png").write_bytes((raw / "ben/1.png").read_bytes()[:60])
    Image.fromarray(np.zeros((9, 9), dtype=np.uint16)).save(raw / "ben/deep.png")
    with pytest.raises(UserError) as raised:
        read(raw)
    sentence = str(raised.value)
    assert sentence.startswith("3 of 5 images cannot be taken: ")
    assert all(name in sentence for name in ("ana/0.png", "ben/1.png", "ben/deep.png"))


def test_text_in_a_png_is_no_damage_and_a_bomb_is_refused(raw: Path) -> None:
    """Pillow's own limit is one megabyte of text, as a description of an edited scan may have."""
    info = PngImagePlugin.PngInfo()
    info.add_text("history", "x" * 2_000_000, zip=True)
    picture(7).save(raw / "ana/edited.png", pnginfo=info)
    assert sources(read(raw)) == ["ana/edited.png"]
    with pytest.raises(UserError, match=r"edited.png: found more than 1 megabytes of text in it, .*maximum_megapixels"):
        read(raw, maximum_megapixels=1.0)


def chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def test_a_scan_of_190_megapixels_is_read_where_the_config_allows_it(raw: Path) -> None:
    """Also beyond Pillow's own limit of 179, which cannot be told from damage. The file is of two kilobytes."""
    width, height = 19_000, 10_000
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])  # 1 bit a pixel
    packer = zlib.compressobj(1)
    row = bytes(1 + width // 8)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    scan = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    (raw / "ana/scan.png").write_bytes(scan)
    with pytest.raises(UserError, match=r"found 190 megapixels, expected at most data\.maximum_megapixels = 180"):
        read(raw)
    found = read(raw, maximum_megapixels=200.0, mode="L")
    assert (found.pixels[2] == 0).all()


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder that is nobody's, while this process is nobody: root may read everything."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder)
        if os.getuid():
            yield path
            return
        path.chmod(0o755)
        for seed, name in enumerate(("ana/0", "ben/0")):
            save(path / f"{name}.png", seed)
        for entry in path.rglob("*"):
            os.chown(entry, 65534, 65534)
        os.seteuid(65534)
        try:
            yield path
        finally:
            os.seteuid(0)


@pytest.mark.parametrize("name", ["ana", "ben/0.png"])
def test_what_may_not_be_read_says_so(unprivileged: Path, name: str) -> None:
    if os.getuid():
        for seed, each in enumerate(("ana/0", "ben/0")):
            save(unprivileged / f"{each}.png", seed)
    (unprivileged / name).chmod(0)
    try:
        with pytest.raises(UserError, match=rf"{name}: permission denied, expected a (folder|file) that may be read"):
            read(unprivileged)
    finally:
        (unprivileged / name).chmod(0o755)


def test_one_level_too_deep_says_what_was_found(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        read(tmp_path)
    assert str(raised.value) == (
        f"data.path: found one folder, raw, in {tmp_path}, expected a folder for each of two contributors or more;"
        f" if the folders in it, such as ana, are the contributors, write data.path: {raw}"
    )
    with pytest.raises(UserError, match=r"found no folder and 2 image\(s\), such as 0.png, 1.png, in .*/raw/ana"):
        read(raw / "ana")
    save(tmp_path / "other/cleo/0.png")
    assert read(tmp_path).notes == (
        "no image lies directly in a contributor's folder, as other/cleo/0.png does not; if folders in these are the"
        " contributors, data.path should lead there",
    )


def test_a_folder_without_an_image_says_what_is_in_it(raw: Path) -> None:
    (raw / "cleo").mkdir()
    (raw / "cleo/a.docx").write_bytes(b"x")
    with pytest.raises(
        UserError, match=r"cleo: found no image among 1 file\(s\), such as a.docx; expected files ending"
    ):
        read(raw)


NFC, NFD = unicodedata.normalize("NFC", "zoë"), unicodedata.normalize("NFD", "zoë")
ALIKE = {
    "a blank": (["ana", "ana ", "ben"], "'ana' and 'ana '"),
    "two forms of Unicode": ([NFC, NFD], r"'zo\xeb' and 'zoe\u0308'"),
    "capitals": (["Ana", "ana", "ANA"], "'Ana' and 'ana' and 'ANA'"),
    "hyphens": (["jean-luc", "jean luc", "jean_luc"], "'jean-luc' and 'jean luc' and 'jean_luc'"),
    "what is not printed": (["ana", "a\u200bna"], r"'ana' and 'a\u200bna'"),
    "a variant of a letter": (["a\ufe0fna", "ana"], r"'a\ufe0fna' and 'ana'"),
    "a minus": (["a\u2212b", "a-b"], "'a\u2212b' and 'a-b'"),
    "wide letters": (["ａｎａ", "ana"], "'ａｎａ' and 'ana'"),
    "sharp s": (["weiß", "weiss"], "'weiß' and 'weiss'"),
}


@pytest.mark.parametrize("name", ALIKE)
def test_names_that_look_alike_are_named(name: str) -> None:
    names, shown = ALIKE[name]
    assert look_alike(names) == f"names that look alike are credited as different contributors: {shown}"
    assert look_alike(["ana", "anna", "ann", "digit 1", "digit 11", "李", "李娜"]) == ""


def test_folders_whose_names_look_alike_are_a_warning_of_the_index(raw: Path) -> None:
    (raw / "ben").rename(raw / "ana ")
    images = read(raw)
    assert images.contributors == ["ana", "ana "]
    (warning,) = notes_of(images, pixel_digests(images.pixels))
    assert warning == "names that look alike are credited as different contributors: 'ana' and 'ana '"


def test_a_file_is_found_however_a_table_writes_its_name(tmp_path: Path) -> None:
    save(tmp_path / f"images/{NFC}/{NFC}.png", 1)
    save(tmp_path / f"images/{NFD}.png", 2)
    save(tmp_path / "images/0.png", 3)
    (tmp_path / "t.csv").write_text(f"file,who\n{NFD}/{NFD}.png,ana\n{NFC}.png,ben\n0.png,{NFC}\n", encoding="utf-8")
    options = {"source": "image_table", "path": str(tmp_path / "images"), "table": str(tmp_path / "t.csv")}
    more = {"image": "{file}", "contributor": "who", "size": 8}
    found = image_table.read(image_table.Options.model_validate(options | more))
    assert found.contributors == ["ana", "ben", NFC]
    assert found.source == [f"{NFC}/{NFC}.png", f"{NFD}.png", "0.png"]


def test_a_caption_is_found_however_its_file_is_written(raw: Path) -> None:
    save(raw / f"ana/{NFC}.png", 5)
    (raw / f"ana/{NFD}.txt").write_text("a cat")
    for name in ("ana/0", "ana/1", "ben/0", "ben/1"):
        (raw / f"{name}.txt").write_text("a dog")
    found = read(raw, captions=True)
    assert found.captions is not None
    assert dict(zip(found.source, found.captions, strict=True))[f"ana/{NFC}.png"] == "a cat"


def test_images_that_a_table_does_not_list_are_named(tmp_path: Path) -> None:
    for number in range(5):
        save(tmp_path / f"images/{number}.png", number)
    (tmp_path / "t.csv").write_text("file,who,split\n0.png,ana,train\n1.png,ben,train\n2.png,ben,test\n")
    options = {"source": "image_table", "path": str(tmp_path / "images"), "table": str(tmp_path / "t.csv")}
    more = {"image": "{file}", "contributor": "who", "size": 8, "where": {"split": "train"}}
    found = image_table.read(image_table.Options.model_validate(options | more))
    assert found.notes == (f"left out 2 image(s) that {tmp_path}/t.csv does not list (such as 3.png, 4.png)",)


def test_rows_that_are_left_out_are_listed_all_the_same_and_links_elsewhere_are_not_walked(tmp_path: Path) -> None:
    for number, name in enumerate(("0", "1", NFD)):
        save(tmp_path / f"images/{name}.png", number)
    save(tmp_path / "far/away.png", 9)
    (tmp_path / "images/link").symlink_to(tmp_path / "far")
    table = f"file,who,split\n0.png,ana,train\n1.png,ben,train\n{NFC}.png,ben,test\n"
    (tmp_path / "t.csv").write_text(table, encoding="utf-8")
    options = {"source": "image_table", "path": str(tmp_path / "images"), "table": str(tmp_path / "t.csv")}
    more = {"image": "{file}", "contributor": "who", "size": 8, "where": {"split": "train"}}
    assert image_table.read(image_table.Options.model_validate(options | more)).notes == ()


def test_more_than_8_bits_of_a_colour_are_refused(raw: Path) -> None:
    """Pillow opens such a PNG as RGB and cuts the lower bits off."""
    header = (2).to_bytes(4, "big") + (2).to_bytes(4, "big") + bytes([16, 2, 0, 0, 0])
    body = zlib.compress((b"\0" + bytes(12)) * 2)
    deep = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    (raw / "ana/deep.png").write_bytes(deep)
    with pytest.raises(UserError, match=r"deep\.png: found more than 8 bits in a channel \(mode RGB\)"):
        read(raw)


def test_bytes_of_no_image_format_are_not_opened(raw: Path) -> None:
    """Pillow would hand EPS to Ghostscript, whatever the file is called."""
    stream = io.BytesIO()
    picture(1).save(stream, "EPS")
    (raw / "ana/0.png").write_bytes(stream.getvalue())
    with pytest.raises(UserError, match=r"ana/0.png: not a readable image \(its format is unknown\)"):
        read(raw)
