"""Whatever is handed in gives right values or one sentence: never a traceback, never a half-written file.

Inputs are drawn with fixed seeds, so that a failure comes again. `pytest tests/unit/test_fuzz.py
--hypothesis-show-statistics` counts them by kind and by what became of them.
"""

import contextlib
import copy
import io
import json
import math
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from PIL import Image
from studies import tiny_config

from diffusion_credit import cli
from diffusion_credit.base.errors import UserError
from diffusion_credit.base.yaml_files import read_yaml
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.data.index import Index, write_index
from diffusion_credit.data.sources import image_folder, image_table
from diffusion_credit.study.complaints import refuse_repeated_keys
from diffusion_credit.study.config import read_study

# Bounded in time by their number; nothing of an earlier run decides what is drawn.
BOUNDED = {
    "derandomize": True,
    "database": None,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
}

ODD_TEXTS = [
    "", " ", "0", "1", "2", "-1", "0.5", "nan", "inf", "-inf", "1e308", "1e999", "1,5", "yes", "TRUE", "null", "NA",
    "value", "log_value", "subset", "replicate", "seed", "=1+1", "ana", "Ana", "ana ", "李", "a\u0308", "\u202eana",
    "\u200b",
    "../../x", "a/b", "{x}", "%s", "<b>", "\x00", "\n", "\r", '"', "'", ";", "\t", "\ufeff", "x" * 300, "\udcff",
]  # fmt: skip
texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=6))


def one_sentence(error: BaseException | str) -> None:
    """One line, of more than a word, that holds no trace of the program."""
    text = str(error)
    assert len(text.splitlines()) == 1 and len(text) > 15, text
    assert "Traceback" not in text and "object at 0x" not in text, text


def outcome(kind: str, error: UserError | None) -> None:
    event(f"{kind}: {'values' if error is None else 'one sentence'}")
    if error is not None:
        one_sentence(error)


@contextlib.contextmanager
def folder() -> Any:
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        yield Path(name)


# --- tables of utilities


@st.composite
def tables(draw: Any) -> bytes:
    """A table of three contributors that is right but for some changes."""
    worth = draw(st.lists(st.integers(-3, 3), min_size=3, max_size=3))
    members = [[int(i >> k & 1) for k in range(3)] for i in range(8)]
    rows = [["ana", "ben", "cleo", "value"]]
    rows += [[*map(str, x), str(float(np.dot(x, worth)))] for x in [*members, *([[1] * 3, [0] * 3] * 2)]]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(rows) - 1))
        match draw(
            st.sampled_from(["cell", "cell", "cell", "drop cell", "add cell", "drop row", "again", "blank", "cut"])
        ):
            case "cell" if rows[at]:
                rows[at][draw(st.integers(0, len(rows[at]) - 1))] = draw(texts)
            case "drop cell" if rows[at]:
                del rows[at][draw(st.integers(0, len(rows[at]) - 1))]
            case "add cell":
                rows[at].append(draw(texts))
            case "drop row" if len(rows) > 1:
                del rows[at]
            case "again":
                rows.insert(at, rows[at].copy())
            case "blank":
                rows.insert(at, [])
            case "cut":
                rows = rows[: at + 1]
    separator = draw(st.sampled_from([",", ",", ",", ",", ";", "\t"]))
    ending = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    table = ending.join(separator.join(row) for row in rows) + draw(st.sampled_from(["", ending]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"]))
    return table.encode(encoding, "surrogateescape" if "utf" in encoding and encoding != "utf-16" else "replace")


@settings(max_examples=220, **BOUNDED)
@given(table=tables(), estimator=st.sampled_from(["gaussian-process", "ridge", "paper", "exact"]))
def test_tables(table: bytes, estimator: str) -> None:
    with folder() as here:
        (here / "t.csv").write_bytes(table)
        error = command("attribute", "t.csv", "--estimator", estimator, "--output", "a.csv")
        outcome("table", error)
        assert sorted(path.name for path in here.iterdir()) == (["t.csv"] if error else ["a.csv", "t.csv"])
        if error is None:
            found = read_attribution("a.csv")
            assert np.isfinite(found.value).all()
            known = ~np.isnan(found.low)
            slack = 1e-9 * (1 + np.abs(found.value))
            assert (found.low - slack <= found.value)[known].all() and (found.value <= found.high + slack)[known].all()


def command(*arguments: str) -> UserError | None:
    """Run the program; what it exits with, if it does not succeed."""
    before, sys.argv = sys.argv, ["diffusion-credit", *arguments]
    said: object = None
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("error")  # of numpy: a number that is none
            cli.main()
    except SystemExit as error:
        said = error.code
    finally:
        sys.argv = before
    if said is None:
        return None
    assert isinstance(said, str) and said.startswith("Error: ") and len(said.splitlines()) == 1, said
    return UserError(said)


# --- configurations

values = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**9), st.floats(), texts, st.lists(texts, max_size=2), st.just({}),
    st.dictionaries(texts, texts, max_size=2),
)  # fmt: skip


def places(config: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = config.items() if isinstance(config, dict) else enumerate(config) if isinstance(config, list) else ()
    return [place for key, value in inside for place in [(*at, key), *places(value, (*at, key))]]


@st.composite
def configs(draw: Any) -> dict[str, Any]:
    """The tests' study with some values, keys or sections changed."""
    config = copy.deepcopy(tiny_config())
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(config) or [("study",)]))
        inside: Any = config
        for key in place[:-1]:
            inside = inside[key]
        match draw(st.sampled_from(["value", "value", "value", "drop", "add", "rename", "swap"])):
            case "value":
                inside[place[-1]] = draw(values)
            case "drop":
                del inside[place[-1]]
            case "add" if isinstance(inside, dict):
                inside[draw(texts)] = draw(values)
            case "rename" if isinstance(inside, dict) and isinstance(place[-1], str):
                inside[place[-1] + draw(st.sampled_from(["s", "_", "x"]))] = inside.pop(place[-1])
            case "swap":
                other = draw(st.sampled_from(places(config)))
                value: Any = config
                for key in other:
                    value = value[key]
                inside[place[-1]] = copy.deepcopy(value)
    return config


@settings(max_examples=220, **BOUNDED)
@given(config=configs())
def test_configurations(config: dict[str, Any]) -> None:
    error = None
    try:
        study = read_study(config)
    except UserError as raised:
        error = raised
    else:
        assert read_study(json.loads(json.dumps(study.model_dump(mode="json", exclude_computed_fields=True)))) == study
    outcome("configuration", error)
    assert error is None or str(error).startswith("config: "), error


@settings(max_examples=60, **BOUNDED)
@given(cut=st.integers(0, 2000), put=st.one_of(texts, st.binary(max_size=4)), times=st.integers(1, 2))
def test_files_of_options(cut: int, put: str | bytes, times: int) -> None:
    """A YAML file with something put into it anywhere."""
    raw = put if isinstance(put, bytes) else put.encode("utf-8", "surrogateescape")
    whole = yaml.safe_dump(tiny_config()).encode()
    with folder() as here:
        (here / "study.yaml").write_bytes(whole[:cut] + raw * times + whole[cut:])
        error = None
        try:
            config = read_yaml(here / "study.yaml")
            refuse_repeated_keys(here / "study.yaml")
            read_study(config)
        except UserError as raised:
            error = raised
        outcome("file of options", error)


# --- folders of images


def content(draw: Any) -> bytes:
    kind = draw(st.sampled_from(["png", "png", "png", "png", "jpg", "cut", "bytes", "empty", "deep", "wide", "moves"]))
    rng = np.random.default_rng(draw(st.integers(0, 3)))
    pixels = rng.integers(0, 256, (6, 1 if kind == "wide" else 7, 3), dtype=np.uint8)
    stream = io.BytesIO()
    if kind == "deep":
        Image.fromarray(pixels[..., 0].astype(np.uint16)).save(stream, "PNG")
    elif kind == "moves":
        Image.fromarray(pixels).save(stream, "GIF", save_all=True, append_images=[Image.fromarray(255 - pixels)])
    elif kind not in ("bytes", "empty"):
        Image.fromarray(pixels).save(stream, "JPEG" if kind == "jpg" else "PNG")
    whole = stream.getvalue()
    return {"cut": whole[: len(whole) // 2], "bytes": draw(st.binary(max_size=40))}.get(kind, whole)


def part(name: str) -> str:
    """A text as the name of a file: no slash, no null byte, not too long, neither `.` nor `..`."""
    name = "".join("-" if letter in "/\0" else letter for letter in name)[:60]
    return name if name.strip(".") else f"x{name}"


names = st.one_of(
    st.sampled_from(
        ["0.png", "1.jpg", "2.gif", "x.heic", "x.txt", "Thumbs.db", ".hidden.png", "deep/0.png", "@eaDir/0.jpg"]
    ),
    texts.map(lambda text: part(text) + ".png"),
)


@st.composite
def trees(draw: Any) -> list[tuple[str, str, bytes]]:
    """(kind, path, content) of what lies in a folder; links have their target as content."""
    found = [("file", f"{name}/{i}.png", content(draw)) for name in ("ana", "ben") for i in range(2)]
    for _ in range(draw(st.integers(0, 5))):
        where = draw(st.sampled_from(["ana", "ben", "cleo", ".", part(draw(texts))]))
        name = f"{where}/{draw(names)}"
        match draw(st.sampled_from(["file", "file", "file", "link", "folder", "pipe"])):
            case "link":
                target = draw(st.sampled_from(["0.png", "../ana", "..", "/nowhere", "../ben/1.png", "."]))
                found.append(("link", name, target.encode()))
            case kind:
                found.append((kind, name, content(draw) if kind == "file" else b""))
    return found


def grown(root: Path, tree: list[tuple[str, str, bytes]]) -> None:
    for kind, name, inside in tree:
        path = root / os.fsdecode(os.fsencode(name))
        with contextlib.suppress(FileExistsError, NotADirectoryError, IsADirectoryError, FileNotFoundError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(path) or not path.parent.resolve().is_relative_to(root.resolve()):
                continue  # else a link or a pipe of this tree would be written to
            if kind == "file":
                path.write_bytes(inside)
            elif kind == "link":
                path.symlink_to(inside.decode())
            elif kind == "folder":
                path.mkdir()
            else:
                os.mkfifo(path)


@settings(max_examples=160, **BOUNDED)
@given(tree=trees())
def test_folders_of_images(tree: list[tuple[str, str, bytes]]) -> None:
    with folder() as here:
        (here / "raw").mkdir()
        grown(here / "raw", tree)
        options = image_folder.Options(source="image_folder", path="raw", size=8)
        indexed("folder", here, lambda: (image_folder.fingerprint(options), image_folder.read(options))[1])


@st.composite
def lists(draw: Any) -> bytes:
    """A table of images that is right but for some cells."""
    rows = [["file", "who", "text"], *([f"{i % 2}.png", "ana" if i else "ben", f"a cat {i}"] for i in range(2))]
    for _ in range(draw(st.integers(0, 3))):
        row = draw(st.sampled_from(rows))
        row[draw(st.integers(0, 2))] = draw(st.one_of(texts, names))
    return "\n".join(",".join(row) for row in rows).encode("utf-8", "surrogateescape")


@settings(max_examples=100, **BOUNDED)
@given(table=lists(), tree=trees())
def test_tables_of_images(table: bytes, tree: list[tuple[str, str, bytes]]) -> None:
    with folder() as here:
        (here / "raw").mkdir()
        grown(here / "raw", [(kind, Path(name).name, inside) for kind, name, inside in tree])
        (here / "t.csv").write_bytes(table)
        more = {"image": "{file}", "contributor": "who", "caption": "text", "size": 8, "table": "t.csv"}
        options = image_table.Options.model_validate({"source": "image_table", "path": "raw", **more})
        indexed("table of images", here, lambda: (image_table.fingerprint(options), image_table.read(options))[1])


def indexed(kind: str, here: Path, read: Any) -> None:
    """An index that holds every image once, or one sentence and no file."""
    files = [here / name for name in ("index.csv", "pixels.npy", "index.json")]
    error = None
    try:
        images = read()
        write_index(images, *files)
    except UserError as raised:
        error = raised
    outcome(kind, error)
    assert [path.is_file() for path in files] == [error is None] * 3
    assert not [path for path in here.iterdir() if path.name.startswith(".")]
    if error is None:
        found = Index(files[2])
        assert found.source == images.source and len(set(found.source)) == len(found.source) == len(np.load(files[1]))
        assert found.contributors == images.contributors and (found.counts > 0).all()
        assert math.isfinite(np.load(files[1]).mean())


@pytest.mark.parametrize("text", ["10,000\n", "Traceback (most recent call last)", "x"])
def test_what_counts_as_a_sentence_is_no_trace(text: str) -> None:
    """The check itself: it must refuse these."""
    with pytest.raises(AssertionError):
        one_sentence(text)
