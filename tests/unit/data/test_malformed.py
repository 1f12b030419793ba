"""Captions and files of images that cannot be read as they are: each is one sentence."""

import json
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import handed_in
import pyarrow
import pyarrow.parquet
import pytest
from handed_in import ROWS, Item, png_of, table_of, ten_items

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.plugins import module_of

Options = dict[str, Any]
Case = tuple[Callable[[Path], Options | None], str]  # what is changed at a path, and options; the sentence, of {path}


def complaint(options: Options) -> str:
    module = module_of("sources", options["source"])
    with pytest.raises(UserError) as caught:
        module.read(module.Options.model_validate(options))
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


# Captions of folders: Ann has 01, 04, 07 and 09


def put(name: str, content: str | bytes) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


TXT: dict[str, Case] = {
    "none": (lambda p: (p / "Ann/04.txt").unlink(), "{path}/Ann/04.png: found no caption, expected 04.txt beside it or a metadata.jsonl (data.captions)"),
    "blank": (put("Ann/04.txt", " \n\t\n"), "{path}/Ann/04.txt: found no caption, expected a text in it"),
    "not UTF-8": (put("Ann/04.txt", b"caf\xe9"), "{path}/Ann/04.txt: found something that is not text in UTF-8 ('utf-8' codec can't decode byte 0xe9 in position 3: unexpected end of data)"),
    "too long": (put("Ann/04.txt", "x" * 100_001), "{path}/Ann/04.txt: found a caption of 100001 letters, expected at most 100000 in it"),
    "two images": (put("Ann/04.jpg", png_of(1)), "{path}/Ann/04.txt: found it beside 04.jpg and 04.png, expected one image a text"),
    "both ways": (put("metadata.csv", "file_name,text\n"), "{path}: found captions in {path}/metadata.csv and {path}/Ann/01.txt, expected all of them in files of one kind"),
}  # fmt: skip


def add(line: str | bytes) -> Callable[[Path], None]:
    """As row 11 of metadata.jsonl."""

    def change(path: Path) -> None:
        with (path / "metadata.jsonl").open("ab") as stream:
            stream.write(line if isinstance(line, bytes) else line.encode())

    return change


def row(**cells: Any) -> str:
    return json.dumps({"file_name": "Ann/11.png", "text": "a text", **cells})


JSONL: dict[str, Case] = {
    "no file": (add(row()), "{path}/metadata.jsonl: row 11: found the file_name 'Ann/11.png', expected a contributor's image in {path}"),
    "a file elsewhere": (add(row(file_name="../secret.png")), "{path}/metadata.jsonl: row 11: found the file_name '../secret.png', expected a contributor's image in {path}"),
    "a number for a file": (add(row(file_name=4)), "{path}/metadata.jsonl: row 11: found the file_name 4, expected a contributor's image in {path}"),
    "twice": (add(row(file_name="./Ann//04.png")), "{path}/metadata.jsonl: row 11: found the file_name './Ann//04.png' again, expected every image once"),
    "half a line": (add('{"file_name": "Ann'), "{path}/metadata.jsonl: row 11: found something that is not JSON (Unterminated string starting at: line 1 column 15 (char 14))"),
    "a list": (add('["Ann/04.png", "a text"]'), "{path}/metadata.jsonl: row 11: found ['Ann/04.png', 'a text'], expected a JSON object of keys and values"),
    "two texts": (add('{"file_name": "Ann/04.png", "text": "a", "text": "b"}'), "{path}/metadata.jsonl: row 11: found something that is not JSON (a key twice)"),
    "no text": (add('{"file_name": "Ann/04.png"}'), "{path}/metadata.jsonl: row 11: found the column 'text' nowhere in file_name, expected it once (data.captions)"),
    "not UTF-8": (add(b"\xff"), "{path}/metadata.jsonl: found something that is not text in UTF-8 ('utf-8' codec can't decode byte 0xff in position 634: invalid start byte)"),
    "no row": (put("bo ü/99.png", png_of(1)), "{path}/bo ü/99.png: found no caption, expected a row in {path}/metadata.jsonl (data.captions)"),
    "a second kind": (put("zoe/metadata.csv", "file_name,text\n00.png,x\n"), "{path}: found captions in {path}/metadata.jsonl and {path}/zoe/metadata.csv, expected all of them in files of one kind"),
}  # fmt: skip

TEXTS = {  # cells instead of a text, in a row of an image that has none yet
    "null": (None, "found no caption, expected a text in the column text"),
    "blank": (" ", "found no caption, expected a text in the column text"),
    "number": (3, "found the caption 3, expected a text in the column text"),
    "several": (["a", "b"], "found the caption ['a', 'b'], expected a text in the column text"),
    "half a letter": ("\ud800", "found the caption '\\ud800', which is not Unicode, in the column text"),
}


@pytest.mark.parametrize("name", TXT)
def test_a_text_beside_an_image(tmp_path: Path, name: str) -> None:
    options = handed_in.write_folder(tmp_path / "raw", ten_items(), txt=True)
    change, sentence = TXT[name]
    change(tmp_path / "raw")
    assert complaint(options) == sentence.format(path=options["path"])


@pytest.mark.parametrize("name", JSONL)
def test_a_row_of_metadata(tmp_path: Path, name: str) -> None:
    options = handed_in.write_jsonl(tmp_path / "raw", ten_items())
    (tmp_path / "secret.png").write_bytes(png_of(0))
    change, sentence = JSONL[name]
    change(tmp_path / "raw")
    assert complaint(options) == sentence.format(path=options["path"])


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_is_none(tmp_path: Path, name: str) -> None:
    options = handed_in.write_jsonl(tmp_path / "raw", ten_items())
    text, sentence = TEXTS[name]
    put("Ann/11.png", png_of(11))(tmp_path / "raw")
    add(row(text=text))(tmp_path / "raw")
    assert complaint(options) == f"{tmp_path}/raw/metadata.jsonl: row 11: {sentence}"


def test_other_columns_of_a_metadata_csv_and_of_a_table(tmp_path: Path) -> None:
    options = handed_in.write_metadata_csv(tmp_path / "raw", ten_items())
    put("zoe/metadata.csv", "file_name,caption\n")(tmp_path / "raw")
    sentence = "found the column 'text' nowhere in file_name,caption, expected it once (data.captions)"
    assert complaint(options) == f"{tmp_path}/raw/zoe/metadata.csv: {sentence}"
    options = handed_in.write_image_table(tmp_path / "table", ten_items())
    sentence = "found the column 'title' nowhere in file,artist,text, expected it once (data.caption)"
    assert complaint(options | {"caption": "title"}) == f"{options['table']}: {sentence}"
    put("table.csv", "file,artist,text\nAnn/04.png,Ann, \n")(tmp_path / "table")
    assert complaint(options) == f"{options['table']}: row 2: found no caption, expected a text in the column text"


# Rows of Parquet and of data sets


def change_column(name: str, cells: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        table = table_of(ten_items()[:3])
        table = table.set_column(table.schema.get_field_index(name), name, pyarrow.array(cells))
        pyarrow.parquet.write_table(table, path)

    return change


def note(notes: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        table = pyarrow.parquet.read_table(path).replace_schema_metadata({"huggingface": notes})
        pyarrow.parquet.write_table(table, path)

    return change


def classes(number: int) -> Callable[[Path], None]:
    table = table_of(ten_items()[:3], ["Ann", "bo ü", "zoe"])
    column = pyarrow.array([0, number, 1], pyarrow.int64())
    return lambda path: pyarrow.parquet.write_table(table.set_column(1, "artist", column), path)


def broken_text(path: Path) -> None:
    bad = pyarrow.Array.from_buffers(
        pyarrow.string(), 1, [None, pyarrow.py_buffer(b"\0\0\0\0\1\0\0\0"), pyarrow.py_buffer(b"\xff")]
    )
    pyarrow.parquet.write_table(table_of(ten_items()[:1]).set_column(1, "artist", bad), path)


def twice(path: Path) -> None:
    table = table_of(ten_items()[:3])
    pyarrow.parquet.write_table(table.append_column("artist", table["text"]), path)


def images(*cells: Any) -> Callable[[Path], None]:
    return change_column("image", pyarrow.array([{"bytes": png_of(1), "path": None}, *cells], handed_in.STRUCT))


PARQUET: dict[str, Case] = {
    "no column": (lambda _: {"contributor": "by"}, "{path}: found the column 'by' nowhere in image,artist,text, expected it once (data.contributor)"),
    "no image column": (lambda _: {"image": "jpg"}, "{path}: found the column 'jpg' nowhere in image,artist,text, expected it once (data.image)"),
    "no caption column": (lambda _: {"caption": "title"}, "{path}: found the column 'title' nowhere in image,artist,text, expected it once (data.caption)"),
    "no where": (lambda _: {"where": {"split": "train"}}, "{path}: found the column 'split' nowhere in image,artist,text, expected it once (data.where.split)"),
    "nothing left": (lambda _: {"where": {"artist": ["Bob"]}}, "{path}: found no row with {{'artist': ['Bob']}}, expected at least one (data.where)"),
    "a column twice": (twice, "{path}: found the column 'artist' twice in image,artist,text,artist, expected it once (data.contributor)"),
    "null contributor": (change_column("artist", ["a", None, "b"]), "{path}#1: found no contributor, expected a text in the column artist"),
    "blank contributor": (change_column("artist", ["a", "b", " "]), "{path}#2: found no contributor, expected a text in the column artist"),
    "float contributor": (change_column("artist", [1.0, 2.0, 2.0]), "{path}: found double in the column 'artist', expected text or whole numbers (data.contributor)"),
    "true or false": (change_column("artist", [True, False, True]), "{path}: found bool in the column 'artist', expected text or whole numbers (data.contributor)"),
    "list": (change_column("artist", [["a"], ["b"], ["c"]]), "{path}: found list<element: string> in the column 'artist', expected text or whole numbers (data.contributor)"),
    "not UTF-8": (broken_text, "{path}: found something that is not text in UTF-8 (UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte)"),
    "null caption": (change_column("text", ["a", "b", None]), "{path}#2: found no caption, expected a text in the column text"),
    "number as a caption": (change_column("text", [1, 2, 3]), "{path}: found int64 in the column 'text', expected text (data.caption)"),
    "several captions": (change_column("text", [["a", "b"]] * 3), "{path}: found list<element: string> in the column 'text', expected text (data.caption)"),
    "null image": (images(None, None), "{path}#1: found no image, expected the bytes of its file"),
    "null bytes": (images({"bytes": png_of(2), "path": None}, {"bytes": None, "path": None}), "{path}#2: found no image, expected the bytes of its file"),
    "only a path": (images({"bytes": None, "path": "/etc/passwd"}, None), "{path}#1: found only the name of an image, expected the bytes of its file"),
    "paths": (change_column("image", ["a.png", "b.png", "c.png"]), "{path}: found string in the column 'image', expected images as bytes, or with their bytes in a struct as `datasets` has them (data.image)"),
    "no image's bytes": (change_column("image", [b"GIF", b"", b""]), "3 of 3 images cannot be taken: {path}#0: not a readable image (its format is unknown); {path}#1: not a readable image (its format is unknown); {path}#2: not a readable image (its format is unknown)"),
    "half an image": (change_column("image", [png_of(1), png_of(2)[:200], b""]), "2 of 3 images cannot be taken: {path}#1: not a readable image (image file is truncated); {path}#2: not a readable image (its format is unknown)"),
    "unknown class": (classes(3), "{path}#1: found 3 in the column 'artist', expected one of its 3 classes"),
    "no class": (classes(-1), "{path}#1: found no contributor, expected a text in the column artist"),
    "notes that are no JSON": (note("{"), "{path}: notes of Hugging Face: found something that is not JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))"),
    "notes of another kind": (note('{"info": {"features": [1]}}'), "{path}: found features that are no JSON object, expected what `datasets` notes of the columns"),
    "classes without names": (note('{"info": {"features": {"artist": {"_type": "ClassLabel", "num_classes": 3}}}}'), "{path}: found no list of names of the ClassLabel 'artist', expected one"),
    "no Parquet": (lambda p: put(p.name, "artist,text\n")(p.parent), "{path}: found something that is not whole Parquet (ArrowInvalid: Parquet magic bytes not found in footer. Either the file is corrupted or this is not a parquet file.)"),
    "nothing": (lambda p: p.unlink(), "data.path: found no file ending in .parquet at {path}, expected one, or a folder of them"),
}  # fmt: skip


@pytest.mark.parametrize("name", PARQUET)
def test_rows_of_parquet(tmp_path: Path, name: str) -> None:
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(table_of(ten_items()[:3]), path)
    change, sentence = PARQUET[name]
    more = change(path) or {}
    found = complaint({"source": "parquet", "path": str(path), **ROWS, **more})
    assert found == sentence.format(path=path)


def test_parquet_that_is_damaged_inside_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(table_of(ten_items()), path, compression="zstd", use_dictionary=False)
    whole = path.read_bytes()
    place = whole.index(b"\x28\xb5\x2f\xfd")  # the first compressed page
    path.write_bytes(whole[:place] + bytes(40) + whole[place + 40 :])
    found = complaint({"source": "parquet", "path": str(path), **ROWS})
    assert found.startswith(f"{path}: found something that is not whole Parquet (")


def without_end(path: Path) -> None:
    """Cut off between two batches, where pyarrow sees the end of the file and no damage."""
    file = path / "data-00001-of-00002.arrow"
    with pyarrow.ipc.new_stream(file, table_of(ten_items()).schema) as writer:
        writer.write_table(table_of(ten_items()))
    file.write_bytes(file.read_bytes()[:-8])


def cut(path: Path) -> None:
    file = path / "data-00001-of-00002.arrow"
    file.write_bytes(file.read_bytes()[:-500])


DATASET: dict[str, Case] = {
    "no folder": (lambda p: {"path": f"{p}/none"}, "data.path: found no state.json in {path}/none, expected a folder that `save_to_disk` wrote"),
    "a split of one part": (lambda _: {"split": "train"}, "data.split: found 'train', expected none, because {path} holds a single part"),
    "no split": (put("dataset_dict.json", '{"splits": ["train", "test"]}'), "data.split: not found, expected one of the parts of {path}: train, test"),
    "unknown split": (lambda p: put("dataset_dict.json", '{"splits": ["train"]}')(p) or {"split": "test"}, "data.split: found 'test', expected one of the parts of {path}: train"),
    "split elsewhere": (lambda p: put("dataset_dict.json", '{"splits": ["../x"]}')(p) or {"split": "../x"}, "{path}/dataset_dict.json: found '../x', expected a name in its own folder"),
    "file elsewhere": (put("state.json", '{"_data_files": [{"filename": "../x.arrow"}]}'), "{path}/state.json: found '../x.arrow', expected a name in its own folder"),
    "file missing": (put("state.json", '{"_data_files": [{"filename": "x.arrow"}]}'), "{path}/x.arrow: not found, although {path}/state.json names it"),
    "no files": (put("state.json", "{}"), "{path}/state.json: found no list _data_files of a filename each, expected what `datasets` writes"),
    "state is no JSON": (put("state.json", "[" * 100_000), "{path}/state.json: found brackets in brackets in brackets, expected JSON"),
    "no info": (lambda p: (p / "dataset_info.json").unlink(), "{path}/dataset_info.json: no such file or directory, expected a text file"),
    "no Arrow": (put("data-00000-of-00002.arrow", "abcdefgh" * 9), "{path}/data-00000-of-00002.arrow: found something that is not a whole Arrow stream (ArrowInvalid: Expected to read 1684234849 metadata bytes, but only read 68)"),
    "cut off": (cut, "{path}/data-00001-of-00002.arrow: found something that is not a whole Arrow stream (OSError: Expected to be able to read 3192 bytes for message body, got 2700)"),
    "cut off between batches": (without_end, "{path}/data-00001-of-00002.arrow: found no end of its rows, expected a whole file"),
}  # fmt: skip


@pytest.mark.parametrize("name", DATASET)
def test_a_data_set_on_disk(tmp_path: Path, name: str) -> None:
    items = ten_items()
    options = handed_in.write_dataset(tmp_path / "raw", [table_of(items[:4]), table_of(items[4:])])
    change, sentence = DATASET[name]
    more = change(tmp_path / "raw")
    found = complaint(options | (more if isinstance(more, dict) else {}))
    assert found == sentence.format(path=options["path"])


@pytest.mark.parametrize("way", ["parquet", "dataset"])
def test_without_pyarrow_the_extra_is_named(tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    options = handed_in.WAYS[way](tmp_path / "raw", ten_items())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("diffusion_credit.base.plugins.version", version)
    assert complaint(options) == (
        f"data.source: {way}: the package pyarrow was not found, expected it installed, as by pip install -e '.[parquet]'"
    )


# Tars


def link(kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo("c.txt")
    member.type, member.linkname = kind, "/etc/passwd"
    return member


def sample(key: str, **more: bytes) -> list[tuple[Any, bytes]]:
    """Files of a sample; `__` in a name stands for a dot."""
    files = {"png": png_of(len(key)), "json": b'{"by": "Ann", "n": 1}', "cls": b"Bob\n", **more}
    return [(f"{key}.{ending.replace('__', '.')}", data) for ending, data in files.items()]


A, B = sample("a"), sample("bb")
TARS: dict[str, tuple[list[tuple[Any, bytes]], Options, str]] = {
    "split": ([*A[:2], *B, A[2]], {}, "{path}: found 'a.cls' apart from the rest of its sample, expected them side by side"),
    "twice": ([*A, A[0], *B], {}, "{path}: found 'a.png' twice, expected each ending once in a sample"),
    "twice in other letters": ([*A, ("a.PNG", b""), *B], {}, "{path}: found 'a.PNG' twice, expected each ending once in a sample"),
    "no image": ([*A, *B[1:]], {}, "{path}#bb: found no image, expected one image in each sample"),
    "two images": ([*sample("a", mask__jpg=b""), *B], {}, "{path}#a: found 'a.png' and 'a.mask.jpg', expected one image in each sample"),
    "no JSON": ([*A, B[0], B[2]], {}, "{path}#bb: found no file ending in .json, expected one in each sample"),
    "no ending": ([*A, *B[:2]], {"contributor": ".cls"}, "{path}#bb: found no file ending in .cls, expected one in each sample"),
    "no key": (A, {"contributor": "artist"}, "{path}#a.json: found no key 'artist' in by, n, expected one"),
    "odd keys": (sample("a", json=b'{"a\\nb": 1, "\\ud800": 2}'), {}, "{path}#a.json: found no key 'by' in a b,  , expected one"),
    "no caption": (A, {"caption": "text"}, "{path}#a.json: found no key 'text' in by, n, expected one"),
    "number as a caption": (A, {"caption": "n"}, "{path}#a: found the caption 1, expected a text in the key n"),
    "null": (sample("a", json=b'{"by": null}'), {}, "{path}#a: found no contributor, expected a text in the key by"),
    "true": (sample("a", json=b'{"by": true}'), {}, "{path}#a: found the contributor True, expected a text in the key by"),
    "list": (sample("a", json=b'{"by": ["Ann", "Bob"]}'), {}, "{path}#a: found the contributor ['Ann', 'Bob'], expected a text in the key by"),
    "half a letter": (sample("a", json=b'{"by": "\\ud800"}'), {}, "{path}#a: found the contributor '\\ud800', which is not Unicode, in the key by"),
    "blank text": (sample("a", cls=b" \n"), {"contributor": ".cls"}, "{path}#a: found no contributor, expected a text in .cls"),
    "not UTF-8": (sample("a", cls=b"\xff"), {"contributor": ".cls"}, "{path}#a.cls: found something that is not text in UTF-8 ('utf-8' codec can't decode byte 0xff in position 0: invalid start byte)"),
    "JSON cut off": (sample("a", json=b'{"by": '), {}, "{path}#a.json: found something that is not JSON (Expecting value: line 1 column 8 (char 7))"),
    "symbolic link": ([*A, (link(tarfile.SYMTYPE), b""), *B], {}, "{path}: found 'c.txt' in it, expected plain files"),
    "hard link": ([*A, (link(tarfile.LNKTYPE), b""), *B], {}, "{path}: found 'c.txt' in it, expected plain files"),
    "device": ([*A, (link(tarfile.CHRTYPE), b""), *B], {}, "{path}: found 'c.txt' in it, expected plain files"),
    "odd name": ([*A, ("b\udcff.png", b"")], {}, "{path}: found something that is not a whole tar with names in UTF-8 ('utf-8' codec can't decode byte 0xff in position 1: invalid start byte)"),
    "no ending at all": ([*A, ("README", b"x")], {}, "{path}: found 'README' in it, expected names with an ending, such as 000.jpg"),
    "no picture": (sample("a", png=b"no picture"), {}, "{path}#a.png: not a readable image (its format is unknown)"),
    "nothing": ([], {}, "{path}: found no contributor with at least data.minimum_images = 1 images"),
}  # fmt: skip


@pytest.mark.parametrize("name", TARS)
def test_samples_of_a_tar(tmp_path: Path, name: str) -> None:
    members, more, sentence = TARS[name]
    path = tmp_path / "t.tar"
    handed_in.write_tar(path, members)
    options = {"source": "webdataset", "path": str(path), "size": 8, "contributor": "by", **more}
    assert complaint(options) == sentence.format(path=path)


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_a_tar_that_is_not_whole_is_named_wherever_it_ends(tmp_path: Path, ending: str) -> None:
    """Where a member is cut off, between two members, where tarfile sees an end, and where there is more."""
    import gzip

    handed_in.write_tar(tmp_path / "whole", [*A, *B])
    content = (tmp_path / "whole").read_bytes()
    path = tmp_path / f"t.{ending}"
    options = {"source": "webdataset", "path": str(path), "size": 8, "contributor": "by"}

    def found(data: bytes) -> str:
        path.write_bytes(gzip.compress(data) if ending == "tar.gz" else data)
        return complaint(options)

    assert len(A[0][1]) > 512
    assert (
        found(content[: 512 + 300])
        == f"{path}: found something that is not a whole tar with names in UTF-8 (unexpected end of data)"
    )
    ends = [place for place in range(512, len(content), 512) if content[place : place + 2] == b"bb"]
    assert len(ends) == 3
    for end in ends:  # between two members: just the end is missing
        assert found(content[:end]) == f"{path}: found no end after the last member, expected a whole tar"
    damaged = content[: ends[1]] + b"?" * 512 + content[ends[1] + 512 :]
    for data in (damaged, content + content, content[: ends[0] + 100]):
        assert found(data) == f"{path}: found something that is no member of a tar after the last one, expected its end"
    assert found(b"") == f"{path}: found something that is not a whole tar with names in UTF-8 (empty file)"
    path.write_bytes(b"no archive")
    assert complaint(options).startswith(f"{path}: found something that is not a whole tar with names in UTF-8 (")


def test_a_folder_without_tars_and_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    options = {"source": "webdataset", "path": str(tmp_path), "size": 8, "contributor": "by"}
    (tmp_path / "t.zip").write_bytes(b"")
    endings = ".tar or .tar.gz or .tgz"
    assert complaint(options) == (
        f"data.path: found no file ending in {endings} at {tmp_path}, expected one, or a folder of them"
    )
    handed_in.write_tar(tmp_path / "a\udcff.tar", A)
    assert complaint(options).endswith(r"a\xff.tar': found a name that is not UTF-8, please rename it")


def test_an_image_too_large_for_a_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diffusion_credit.data.safe_archive.LARGEST", 10_000)
    handed_in.write_tar(tmp_path / "t.tar", sample("a", npy=b"0" * 10_001))
    options = {"source": "webdataset", "path": str(tmp_path / "t.tar"), "size": 8, "contributor": "by"}
    assert complaint(options) == f"{tmp_path}/t.tar: found 'a.npy' of 10001 bytes, expected at most 10000"


def test_images_that_are_gone_at_the_second_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pixels of an image that nobody read would be anything."""
    from diffusion_credit.data import rows

    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(table_of([Item("a", "0", "x", png_of(0)), Item("b", "1", "y", png_of(1))]), path)
    whole = rows._contents
    monkeypatch.setattr(rows, "_contents", lambda *arguments: list(whole(*arguments))[:1])
    sentence = f"{path}: t.parquet#1 is gone, expected files that stay as they are while read"
    assert complaint({"source": "parquet", "path": str(path), **ROWS}) == sentence
