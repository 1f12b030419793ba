"""The same images, contributors and captions in every way that they can be handed in, written without our own code.

The layouts of `datasets` and WebDataset are copied from what their libraries wrote (5.2.0, 1.0.2), which the tests do
without.
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
from PIL import Image

STRUCT = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
STATE = {
    "_fingerprint": "a9990bfc400ea289", "_format_columns": None, "_format_kwargs": {}, "_format_type": None,
    "_output_all_columns": False, "_split": None,
}  # fmt: skip


@dataclass(frozen=True)
class Item:
    """An image of a contributor. png: its file."""

    contributor: str
    name: str
    caption: str
    png: bytes


def png_of(seed: int, size: int = 24) -> bytes:
    """A smooth picture, different for each seed, so that nothing in it is odd."""
    corners = np.random.default_rng(seed).integers(0, 256, (3, 3, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(corners).resize((size, size), Image.Resampling.BICUBIC).save(stream, "PNG")
    return stream.getvalue()


def ten_items() -> list[Item]:
    """Ten images, the contributors mixed and not in the order of their names; a contributor's own are in order."""
    owners = ["zoe", "Ann", "bo ü", "zoe", "Ann", "zoe", "bo ü", "Ann", "zoe", "Ann"]
    return [
        Item(owner, f"{number:02d}", f"picture {number}, of \"{owner}\"", png_of(number))
        for number, owner in enumerate(owners)
    ]  # fmt: skip


def write_folder(root: Path, items: Iterable[Item], txt: bool = False) -> dict[str, Any]:
    for item in items:
        (root / item.contributor).mkdir(parents=True, exist_ok=True)
        (root / item.contributor / f"{item.name}.png").write_bytes(item.png)
        if txt:
            (root / item.contributor / f"{item.name}.txt").write_text(f"  {item.caption}\n", encoding="utf-8")
    return {"source": "image_folder", "path": str(root), "size": 16, "captions": txt}


def write_jsonl(root: Path, items: list[Item]) -> dict[str, Any]:
    """One metadata.jsonl for all, its rows backwards."""
    options = write_folder(root, items)
    rows = [{"text": item.caption, "file_name": f"{item.contributor}/{item.name}.png"} for item in reversed(items)]
    (root / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return options | {"captions": True}


def write_metadata_csv(root: Path, items: list[Item]) -> dict[str, Any]:
    """A metadata.csv in the folder of each contributor, its rows backwards."""
    options = write_folder(root, items)
    for contributor in {item.contributor for item in items}:
        rows = [(f"{item.name}.png", item.caption) for item in reversed(items) if item.contributor == contributor]
        pd.DataFrame(rows, columns=["file_name", "text"]).to_csv(root / contributor / "metadata.csv", index=False)
    return options | {"captions": True}


def write_image_table(root: Path, items: list[Item]) -> dict[str, Any]:
    write_folder(root / "images", items)
    rows = [(f"{item.contributor}/{item.name}.png", item.contributor, item.caption) for item in reversed(items)]
    pd.DataFrame(rows, columns=["file", "artist", "text"]).to_csv(root / "table.csv", index=False)
    columns = {"image": "{file}", "contributor": "artist", "caption": "text"}
    return {
        "source": "image_table", "path": str(root / "images"), "table": str(root / "table.csv"), "size": 16, **columns,
    }  # fmt: skip


def features_of(names: list[str] | None) -> dict[str, Any]:
    artist = {"dtype": "string", "_type": "Value"} if names is None else {"names": names, "_type": "ClassLabel"}
    return {"image": {"_type": "Image"}, "artist": artist, "text": {"dtype": "string", "_type": "Value"}}


def table_of(items: Iterable[Item], names: list[str] | None = None) -> pyarrow.Table:
    """As `datasets` lays it out. names: of the classes, in their order, where the artist is a ClassLabel."""
    items = list(items)
    artists = [item.contributor for item in items]
    table = pyarrow.table(
        {
            "image": pyarrow.array([{"bytes": item.png, "path": f"{item.name}.png"} for item in items], STRUCT),
            "artist": artists if names is None else pyarrow.array(map(names.index, artists), pyarrow.int64()),
            "text": [item.caption for item in items],
        }
    )
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features_of(names)}})})


ROWS = {"size": 16, "contributor": "artist", "caption": "text"}


def write_parquet(root: Path, items: list[Item]) -> dict[str, Any]:
    """Two files, the first of them in a folder, with row groups of two rows; the artist is a ClassLabel."""
    (root / "a").mkdir(parents=True)
    names = sorted({item.contributor for item in items}, reverse=True)
    pyarrow.parquet.write_table(table_of(items[:7], names), root / "a/z.parquet", row_group_size=2)
    pyarrow.parquet.write_table(table_of(items[7:], names), root / "b.parquet")
    return {"source": "parquet", "path": str(root), **ROWS}


def write_dataset(root: Path, tables: list[pyarrow.Table], names: list[str] | None = None) -> dict[str, Any]:
    """What `save_to_disk` writes, in as many files as tables."""
    root.mkdir(parents=True)
    files = [f"data-{number:05d}-of-{len(tables):05d}.arrow" for number in range(len(tables))]
    for file, table in zip(files, tables, strict=True):
        with pyarrow.ipc.new_stream(root / file, table.schema) as writer:
            writer.write_table(table, max_chunksize=3)
    (root / "state.json").write_text(json.dumps({"_data_files": [{"filename": file} for file in files], **STATE}))
    info = {"citation": "", "description": "", "features": features_of(names), "homepage": "", "license": ""}
    (root / "dataset_info.json").write_text(json.dumps(info))
    return {"source": "dataset", "path": str(root), **ROWS}


def write_dataset_of_items(root: Path, items: list[Item]) -> dict[str, Any]:
    names = ["nobody", *sorted({item.contributor for item in items}, reverse=True)]
    return write_dataset(root, [table_of(items[:4], names), table_of(items[4:], names)], names)


def write_tar(path: Path, members: Iterable[tuple[str | tarfile.TarInfo, bytes]], mode: str = "w") -> None:
    """A tar of files with the names given, or of any members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, data in members:
            member = tarfile.TarInfo(name) if isinstance(name, str) else name
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def write_webdataset(root: Path, items: list[Item]) -> dict[str, Any]:
    """Two tars, the second one compressed, with members whose order differs from sample to sample."""
    members = []
    for number, item in enumerate(items):
        sample = [
            (f"./shard/{item.name}.PNG", item.png),
            (f"./shard/{item.name}.artist.txt", f"{item.contributor}\n".encode()),
            (f"./shard/{item.name}.json", json.dumps({"text": item.caption, "more": [1]}).encode()),
        ]
        members.append(sample[number % 3 :] + sample[: number % 3])
    write_tar(root / "0.tar", [member for sample in members[:6] for member in sample])
    write_tar(root / "1.tar.gz", [member for sample in members[6:] for member in sample], "w:gz")
    return {"source": "webdataset", "path": str(root), "size": 16, "contributor": ".artist.txt", "caption": "text"}


WAYS: dict[str, Callable[[Path, list[Item]], dict[str, Any]]] = {
    "folder with texts": lambda root, items: write_folder(root, items, txt=True),
    "metadata.jsonl": write_jsonl,
    "metadata.csv": write_metadata_csv,
    "table": write_image_table,
    "parquet": write_parquet,
    "dataset": write_dataset_of_items,
    "webdataset": write_webdataset,
}
