"""Captions, and images inside of other files: the same data set, however it is handed in."""

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import handed_in
import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
from handed_in import ROWS, WAYS, Item, png_of, table_of, ten_items
from PIL import Image

from diffusion_credit.base.plugins import module_of
from diffusion_credit.data.images import Images
from diffusion_credit.data.index import Index, write_index
from diffusion_credit.local.players import as_players


def read(options: dict[str, Any]) -> Images:
    module = module_of("sources", options["source"])
    return module.read(module.Options.model_validate(options))


def fingerprint(options: dict[str, Any]) -> str:
    module = module_of("sources", options["source"])
    return module.fingerprint(module.Options.model_validate(options))


def indexed(images: Images, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    write_index(images, *(folder / name for name in ("index.csv", "pixels.npy", "index.json")))
    return folder


def texts_of(images: Images) -> dict[bytes, tuple[str, str]]:
    """Pixels -> contributor and caption."""
    assert images.captions is not None
    rows = zip(images.pixels, images.owner, images.captions, strict=True)
    return {pixels.tobytes(): (images.contributors[owner], caption) for pixels, owner, caption in rows}


def expected_of(items: list[Item], folder: Path) -> dict[bytes, tuple[str, str]]:
    """The same by Pillow alone."""
    found = {}
    for item in items:
        (folder / "one.png").write_bytes(item.png)
        with Image.open(folder / "one.png") as picture:
            small = np.asarray(picture.convert("RGB").resize((16, 16), Image.Resampling.LANCZOS))
        found[small.tobytes()] = (item.contributor, item.caption)
    return found


def without_source(folder: Path) -> list[str]:
    """The lines of index.csv, byte for byte, but for that column, whose cells differ from each other."""
    sources = pd.read_csv(folder / "index.csv").source
    assert sources.is_unique
    header, *lines = (folder / "index.csv").read_text().splitlines()
    assert all(line.count(source) == 1 for line, source in zip(lines, sources, strict=True))
    return [header, *(line.replace(source, "") for line, source in zip(lines, sources, strict=True))]


@pytest.mark.parametrize("way", WAYS)
def test_the_index_is_the_same_however_images_are_handed_in(tmp_path: Path, way: str) -> None:
    items = ten_items()
    images = read(WAYS[way](tmp_path / "raw", items))
    found = indexed(images, tmp_path / "found")
    assert texts_of(images) == expected_of(items, tmp_path) and len(texts_of(images)) == 10
    owners = sorted(items, key=lambda item: (item.contributor, item.name))
    table = pd.read_csv(found / "index.csv")
    assert table.columns.tolist() == ["image", "contributor", "source", "sha256", "caption"]
    assert table.contributor.tolist() == [item.contributor for item in owners]
    assert table.caption.tolist() == [item.caption for item in owners]
    assert Index(found / "index.json").captions == [item.caption for item in owners]

    first = indexed(read(WAYS["folder with texts"](tmp_path / "first", items)), tmp_path / "expected")
    assert without_source(found) == without_source(first)
    for name in ("pixels.npy", "index.json"):
        assert (found / name).read_bytes() == (first / name).read_bytes()


def test_sources_name_file_and_row_or_member(tmp_path: Path) -> None:
    found = {way: set(read(WAYS[way](tmp_path / way, ten_items())).source) for way in WAYS}
    assert found["parquet"] == {*(f"a/z.parquet#{row}" for row in range(7)), *(f"b.parquet#{row}" for row in range(3))}
    files = ("data-00000-of-00002.arrow", 4), ("data-00001-of-00002.arrow", 6)
    assert found["dataset"] == {f"{file}#{row}" for file, rows in files for row in range(rows)}
    assert found["webdataset"] == {f"{'0.tar' if n < 6 else '1.tar.gz'}#./shard/{n:02d}.PNG" for n in range(10)}


def test_without_captions_the_index_is_as_it_was(tmp_path: Path) -> None:
    options = handed_in.write_folder(tmp_path / "raw", ten_items(), txt=True) | {"captions": False}
    images = read(options)
    assert images.captions is None
    assert images.notes[0] == "left out 10 file(s) that are no images (such as Ann/01.txt, Ann/04.txt, Ann/07.txt)"
    found = indexed(images, tmp_path / "out")
    assert "captions" not in json.loads((found / "index.json").read_text())
    assert pd.read_csv(found / "index.csv").columns.tolist() == ["image", "contributor", "source", "sha256"]
    assert Index(found / "index.json").captions is None


@pytest.mark.parametrize("way", WAYS)
def test_a_changed_caption_changes_the_fingerprint_and_the_index(tmp_path: Path, way: str) -> None:
    items = ten_items()
    other = [*items[:4], Item("Ann", "04", "another text", items[4].png), *items[5:]]
    options = [WAYS[way](tmp_path / str(number) / "raw", each) for number, each in enumerate((items, items, other))]
    prints = [fingerprint(each) for each in options]
    folders = [indexed(read(each), tmp_path / f"index {number}") for number, each in enumerate(options)]
    summaries = [json.loads((folder / "index.json").read_text()) for folder in folders]
    if way != "webdataset":  # a tar.gz holds the time at which it was written
        assert prints[0] == prints[1]
    assert prints[2] not in prints[:2]
    assert summaries[0] == summaries[1] != summaries[2]
    assert summaries[0] | {"captions": ""} == summaries[2] | {"captions": ""}


def test_a_source_says_whether_it_has_captions(tmp_path: Path) -> None:
    for way, write in WAYS.items():
        options = write(tmp_path / way, ten_items())
        section = module_of("sources", options["source"]).Options
        key = "captions" if options["source"] == "image_folder" else "caption"
        assert section.model_validate(options).captioned()
        del options[key]
        assert not section.model_validate(options).captioned()
        assert read(options).captions is None
    assert not module_of("sources", "digits").Options(source="digits").captioned()


def test_captions_become_one_line(tmp_path: Path) -> None:
    for name, text in (("a", "\ufeff  one\r\n\n two  \n"), ("b", 'three, "four"\u2028five')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").write_bytes(png_of(ord(name)))
        (tmp_path / name / "x.txt").write_text(text, encoding="utf-8", newline="")
    images = read({"source": "image_folder", "path": str(tmp_path), "size": 8, "captions": True})
    assert images.captions == ["one two", 'three, "four" five']


def test_other_texts_are_no_captions_and_are_noted(tmp_path: Path) -> None:
    options = handed_in.write_folder(tmp_path / "raw", ten_items(), txt=True)
    (tmp_path / "raw/zoe/licence.txt").write_text("mine")
    (tmp_path / "raw/README.txt").write_text("everybody's")
    assert read(options).notes == (
        "left out 1 file(s) that are no images (such as zoe/licence.txt)",
        "left out 1 file(s) beside the contributors' folders, which belong to nobody (such as README.txt)",
    )


def test_single_images_keep_their_captions(tmp_path: Path) -> None:
    items = ten_items()
    players, held_back = as_players(read(WAYS["parquet"](tmp_path / "raw", items)), 3, None, 1)
    assert len(players.pixels) == 7 and len(held_back.pixels) == 3
    expected = {pixels: caption for pixels, (_, caption) in expected_of(items, tmp_path).items()}
    for images in (players, held_back):
        assert {pixels: caption for pixels, (_, caption) in texts_of(images).items()}.items() <= expected.items()
    table = pd.read_csv(indexed(players, tmp_path / "out") / "index.csv")
    assert table.columns.tolist() == ["image", "contributor", "source", "sha256", "caption", "label"]
    index = Index(tmp_path / "out/index.json")
    assert index.captions == table.caption.tolist() and index.labels.tolist() == table.label.tolist()


def test_rows_are_chosen_as_those_of_a_table_are(tmp_path: Path) -> None:
    items = ten_items()
    kinds, years = ["new", "old"] * 5, [None, *range(1900, 1909)]
    table = table_of(items).append_column("kind", [kinds])
    table = table.append_column("year", [pyarrow.array(years, pyarrow.int32())])
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet", row_group_size=3)
    options = {"source": "parquet", "path": str(tmp_path / "t.parquet"), **ROWS}
    for where, rows in (
        ({"kind": "old"}, [1, 3, 5, 7, 9]),
        ({"year": ["1900", "1904", ""]}, [0, 1, 5]),
        ({"kind": "new", "artist": "zoe"}, [0, 8]),
    ):
        images = read(options | {"where": where})
        assert sorted(images.source) == [f"t.parquet#{row}" for row in rows]
        assert texts_of(images) == expected_of([items[row] for row in rows], tmp_path)


@pytest.mark.parametrize("way", ["parquet", "dataset", "webdataset"])
def test_contributors_are_left_out_and_drawn_as_from_folders(tmp_path: Path, way: str) -> None:
    items = ten_items()
    inside, beside = WAYS[way](tmp_path / "inside", items), WAYS["table"](tmp_path / "beside", items)
    found = read(inside | {"minimum_images": 3})
    assert found.contributors == ["Ann", "zoe"]  # four images each, and bo two
    assert texts_of(found) == expected_of([item for item in items if item.contributor != "bo ü"], tmp_path)
    assert found.notes == read(beside | {"minimum_images": 3}).notes != ()
    draws = [{"sample": 2, "sample_seed": seed} for seed in range(6)]
    drawn = [read(inside | draw).contributors for draw in draws]
    assert drawn == [read(beside | draw).contributors for draw in draws]
    assert len({tuple(names) for names in drawn}) > 1


@pytest.mark.parametrize("kind", ["bytes", "large text", "category", "numbers"])
def test_columns_may_have_other_types(tmp_path: Path, kind: str) -> None:
    items = [Item(str(len(item.contributor)), item.name, item.caption, item.png) for item in ten_items()]
    table = table_of(items)
    types = {
        "bytes": ("image", pyarrow.array([item.png for item in items], pyarrow.large_binary())),
        "large text": ("artist", table["artist"].cast(pyarrow.large_string())),
        "category": ("artist", table["artist"].dictionary_encode()),
        "numbers": ("artist", table["artist"].cast(pyarrow.uint8())),
    }
    column, cells = types[kind]
    table = table.set_column(table.schema.get_field_index(column), column, cells)
    pyarrow.parquet.write_table(table, tmp_path / "t.PARQUET")
    images = read({"source": "parquet", "path": str(tmp_path), **ROWS})
    assert texts_of(images) == expected_of(items, tmp_path) and images.contributors == ["3", "4"]


def test_one_part_of_several_is_read(tmp_path: Path) -> None:
    items, options = ten_items(), {}
    for split, chosen in (("train", items[:6]), ("test", items[6:])):
        options = handed_in.write_dataset(tmp_path / "raw" / split, [table_of(chosen)])
    (tmp_path / "raw/dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    found = read(options | {"path": str(tmp_path / "raw"), "split": "train"})
    assert texts_of(found) == expected_of(items[:6], tmp_path)
    assert min(found.source) == "train/data-00000-of-00001.arrow#0"


def test_samples_are_grouped_as_webdataset_does(tmp_path: Path) -> None:
    """Up to the first dot of the name, not of its folder; endings in small letters; hidden files do not count."""
    tar = []
    samples = [("v1.0x", "b.Jpeg", "zoe"), ("v1.0", "Jpeg", "ann"), ("w", "JPG", "ann")]
    for seed, (folder, ending, owner) in enumerate(samples):
        tar += [(f"{folder}/a.{ending}", png_of(seed)), (f"{folder}/a.CLS", f" {owner}\n".encode())]
        tar += [(f"{folder}/._a.jpg", b"of a Mac"), (f"{folder}/a.npy", b"anything")]
    handed_in.write_tar(tmp_path / "t.tar", tar)
    images = read({"source": "webdataset", "path": str(tmp_path / "t.tar"), "size": 16, "contributor": ".cls"})
    assert images.source == ["t.tar#v1.0/a.Jpeg", "t.tar#w/a.JPG", "t.tar#v1.0x/a.b.Jpeg"]
    assert images.contributors == ["ann", "zoe"] and images.owner.tolist() == [0, 0, 1]


@pytest.mark.parametrize("way", ["parquet", "webdataset"])
def test_names_are_data(tmp_path: Path, way: str) -> None:
    names = ["../../x", '"<b>\nx', "{artist}", "=1+1", "NA", "a#b", "..", "\u202egnp"]
    items = [Item(name, f"{number:02d}", name + ".", png_of(number)) for number, name in enumerate(names)]
    images = read(WAYS[way](tmp_path / "deep/raw", items))
    found = indexed(images, tmp_path / "out")
    assert Index(found / "index.json").contributors == sorted(names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "out"]


@pytest.mark.parametrize("way", ["parquet", "dataset", "webdataset"])
def test_large_images_are_held_one_by_one(tmp_path: Path, way: str) -> None:
    """64 files of .75 MB, 48 MB in all, in one row group: their pixels are 50 kB."""
    noise = np.random.default_rng(0).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    items = []
    for number in range(64):
        Image.fromarray(np.roll(noise, number, axis=0)).save(tmp_path / "one.png", compress_level=0)
        items.append(Item(f"{number % 2}", f"{number:02d}", "text", (tmp_path / "one.png").read_bytes()))
    if way == "parquet":
        pyarrow.parquet.write_table(table_of(items), tmp_path / "t.parquet", write_batch_size=4)
        options = {"source": "parquet", "path": str(tmp_path / "t.parquet"), **ROWS}
    else:
        options = WAYS[way](tmp_path / "raw", items)
    size = sum(len(item.png) for item in items)
    del items
    pool, before = pyarrow.proxy_memory_pool(pyarrow.default_memory_pool()), pyarrow.default_memory_pool()
    pyarrow.set_memory_pool(pool)  # counts from here on what pyarrow takes, of which Python knows nothing
    tracemalloc.start()
    images = read(options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    pyarrow.set_memory_pool(before)
    assert size > 48e6 and images.pixels.nbytes == 64 * 16 * 16 * 3
    assert peak < 8e6 and pool.max_memory() < 20e6


def test_a_tar_that_is_compressed_has_the_same_images(tmp_path: Path) -> None:
    options = WAYS["webdataset"](tmp_path / "raw", ten_items())
    plain = (tmp_path / "raw/0.tar").read_bytes()
    before = read(options)
    (tmp_path / "raw/0.tar").unlink()
    (tmp_path / "raw/0.tgz").write_bytes(gzip.compress(plain))
    after = read(options)
    assert (before.pixels == after.pixels).all() and before.captions == after.captions
