"""The readers of public data sets: the right images of the right contributors, and nothing that a file could do."""

import io
import os
import pickle
import shutil
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import formats
import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from studies import ROOT, tiny_config

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.plugins import module_of
from diffusion_credit.data import cifar_archive, restricted_unpickler
from diffusion_credit.data.images import Images
from diffusion_credit.study.config import plain, read_study

CIFAR20 = [
    "bear",
    "leopard",
    "lion",
    "tiger",
    "wolf",
    "camel",
    "cattle",
    "chimpanzee",
    "elephant",
    "kangaroo",
    "fox",
    "porcupine",
    "possum",
    "raccoon",
    "skunk",
    "bicycle",
    "bus",
    "motorcycle",
    "pickup_truck",
    "train",
]
SUPERCLASSES = ["large_carnivores", "large_omnivores_and_herbivores", "medium_mammals", "vehicles_1"]
STUDY = yaml.safe_load((ROOT / "config/studies/cifar20.yaml").read_text())


def read(source: str, **options: Any) -> Images:
    module = module_of("sources", source)
    return module.read(module.Options.model_validate({"source": source, **options}))


def fingerprint(source: str, **options: Any) -> str:
    module = module_of("sources", source)
    return module.fingerprint(module.Options.model_validate({"source": source, **options}))


def cifar(path: Path, dataset: str = "cifar10", **options: Any) -> Images:
    return read("cifar", archive=str(path), dataset=dataset, **{"sha256": None, **options})


# CIFAR


def test_cifar20_is_the_classes_of_four_superclasses(tmp_path: Path) -> None:
    path = tmp_path / "cifar-100-python.tar.gz"
    digest = formats.write_cifar(path, "cifar100", per_class=500)
    assert STUDY["data"]["superclasses"] == SUPERCLASSES
    found = cifar(path, "cifar100", sha256=digest, superclasses=SUPERCLASSES, classes=CIFAR20)
    assert sorted(found.contributors) == sorted(CIFAR20)
    assert found.pixels.shape == (10_000, 32, 32, 3)
    assert np.bincount(found.owner).tolist() == [500] * 20
    assert found.notes == ()


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
def test_cifar_is_what_its_page_says_how_to_read(tmp_path: Path, dataset: str) -> None:
    formats.write_cifar(tmp_path / "c.tar.gz", dataset)
    found = cifar(tmp_path / "c.tar.gz", dataset)
    with tarfile.open(tmp_path / "c.tar.gz") as archive:
        folder, meta = ("cifar-10-batches-py", "batches.meta") if dataset == "cifar10" else ("cifar-100-python", "meta")
        names = [f"data_batch_{i}" for i in range(1, 6)] if dataset == "cifar10" else ["train"]
        files = [pickle.load(archive.extractfile(f"{folder}/{name}"), encoding="bytes") for name in [meta, *names]]
    key = b"" if dataset == "cifar10" else b"fine_"
    classes = [name.decode() for name in files[0][key + b"label_names"]]
    labels = [label for part in files[1:] for label in part[key + b"labels"]]
    red_green_blue = np.concatenate([part[b"data"] for part in files[1:]]).reshape(-1, 3, 1024)
    assert found.contributors == classes
    assert [found.contributors[i] for i in found.owner] == [classes[label] for label in labels]
    assert (np.stack([found.pixels[..., c].reshape(-1, 1024) for c in range(3)], axis=1) == red_green_blue).all()


def test_the_order_of_a_hand_made_images_pixels(tmp_path: Path) -> None:
    content = formats.cifar_members("cifar10", per_class=1)
    row = np.zeros((1, 3072), dtype=np.uint8)
    row[0, 0], row[0, 1024 + 1], row[0, 2048 + 31 * 32 + 30] = 1, 2, 3  # red corner, green beside it, blue far below
    content["data_batch_1"].update({b"data": row, b"labels": [6]})
    write(tmp_path / "c.tar.gz", content)
    image = cifar(tmp_path / "c.tar.gz", classes=["frog"]).pixels[0]
    assert image[0, 0].tolist() == [1, 0, 0] and image[0, 1].tolist() == [0, 2, 0]
    assert image[31, 30].tolist() == [0, 0, 3] and image.sum() == 6


def test_single_images_are_named_by_their_place_and_class(tmp_path: Path) -> None:
    formats.write_cifar(tmp_path / "c.tar.gz", "cifar10", per_class=3)
    content = formats.cifar_members("cifar10", per_class=3)
    labels = [label for i in range(1, 6) for label in content[f"data_batch_{i}"][b"labels"]]
    found = cifar(tmp_path / "c.tar.gz", players="image", classes=["frog", "cat"])
    assert found.contributors == [f"{i:05d} {formats.CIFAR10[x]}" for i, x in enumerate(labels) if x in (3, 6)]
    assert found.owner.tolist() == list(range(6))
    place = int(found.contributors[0].split()[0])  # the five parts have six images each
    assert found.source[0] == f"data_batch_{place // 6 + 1}[{place % 6}]"


def test_an_archive_that_python_3_wrote_again_is_read(tmp_path: Path) -> None:
    formats.write_cifar(tmp_path / "a.tar.gz", "cifar10")
    content = formats.cifar_members("cifar10")
    content["batches.meta"][b"label_names"] = [name.encode() for name in formats.CIFAR10]
    content["data_batch_2"][b"data"] = np.asfortranarray(content["data_batch_2"][b"data"])
    for protocol in (2, 4):
        again = {f"cifar-10-batches-py/{name}": pickle.dumps(value, protocol) for name, value in content.items()}
        formats.write_tar(tmp_path / "b.tar.gz", again)
        assert (cifar(tmp_path / "a.tar.gz").pixels == cifar(tmp_path / "b.tar.gz").pixels).all()


def write(path: Path, content: dict[str, Any], folder: str = "cifar-10-batches-py") -> str:
    return formats.write_tar(path, {f"{folder}/{k}": formats.python2_pickle(v) for k, v in content.items()})


def test_a_wrong_checksum_is_refused_before_anything_is_opened(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "c.tar.gz"
    digest = formats.write_cifar(path, "cifar10")
    reached: list[str] = []
    monkeypatch.setattr(restricted_unpickler, "load", lambda stream: reached.append("pickle"))
    monkeypatch.setattr(tarfile, "open", lambda *_, **__: reached.append("tar"))
    with pytest.raises(UserError, match=rf"c\.tar\.gz: found the sha256 {digest}, expected 6d958be07457"):
        read("cifar", dataset="cifar10", archive=str(path))  # absent: the official one
    with pytest.raises(UserError, match="expected 0000"):
        cifar(path, sha256="0" * 64)
    assert not reached


def test_official_and_null_survive_the_way_to_the_script() -> None:
    for data, expected in [({}, "official"), ({"sha256": None}, None), ({"sha256": "a" * 64}, "a" * 64)]:
        config = tiny_config() | {"data": {"source": "cifar", "dataset": "cifar10", "archive": "x", **data}}
        assert plain(read_study(config).data)["sha256"] == expected


def test_an_unverified_archive_is_noted(tmp_path: Path) -> None:
    formats.write_cifar(tmp_path / "c.tar.gz", "cifar10")
    (note,) = cifar(tmp_path / "c.tar.gz").notes
    assert "c.tar.gz: its checksum was not looked at" in note


class Call:
    """Pickled as a call of a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


PICKLES: dict[str, tuple[Any, str]] = {
    "system": (Call(os.system, "touch executed"), f"the global '{os.name}.system'"),
    "eval": (Call(eval, "open('executed', 'w')"), "the global '__builtin__.eval'"),
    "getattr": (Call(getattr, b"", "decode"), "the global '__builtin__.getattr'"),
    "open": (Call(io.open, "executed", "w"), "the global 'io.open'"),
    "array of objects": (np.array([Call(os.system, "touch executed")], dtype=object), "an array of b?'O8'"),
    "array of numbers": (np.zeros(3), "an array of b?'f8'"),
    "array of no bytes": (b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01cnumpy\ndtype\n(U\x02u1tRK\x00]tb.", "uint8"),
    "array larger than its bytes": (
        b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01(J\xff\xff\xff\x7fK\x02tcnumpy\ndtype\n(U\x02u1tRK\x00U\x01xtb.",
        "a damaged pickle",
    ),
    "memory of any size": (b"cnumpy\nndarray\n(J\xff\xff\xff\x7ftR.", "a damaged pickle"),
    "another codec": (b"c_codecs\nencode\n(U\x01xU\x05rot13tR.", "bytes in the encoding"),
    "dotted name": (b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.", "the global 'numpy.ndarray.tofile'"),
    "a name of two lines": (b"\x80\x04\x8c\x02os\x8c\x05sys\nm\x93.", r"the global 'os.sys\\nm'"),
    "other numpy": (b"cnumpy\nload\n(U\x08executedtR.", "the global 'numpy.load'"),
    "persistent": (b"Pexecuted\n.", "persistent"),
    "registered": (b"\x82\x01.", "a damaged pickle"),
    "no dict": (b"]q\x00.", "something that is no dict"),
    "half": (formats.python2_pickle({b"a": b"b" * 50})[:20], "a damaged pickle"),
    "nothing": (b"", "a damaged pickle"),
    "no such operation": (b"\x80\x02\xff.", "a damaged pickle"),
    "an array without its bytes": (b"}U\x04datacnumpy.core.multiarray\n_reconstruct\n)Rs.", "data of shape None"),
    "a place in 16 GiB": (b"Nr\xff\xff\xff\x7f.", "something that is no dict"),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_that_does_more_than_hold_data_is_refused(tmp_path: Path, name: str, monkeypatch: Any) -> None:
    value, complaint = PICKLES[name]
    data = value if isinstance(value, bytes) else formats.python2_pickle({b"data": value})
    content = {
        f"cifar-10-batches-py/{k}": formats.python2_pickle(v) for k, v in formats.cifar_members("cifar10").items()
    }
    formats.write_tar(tmp_path / "c.tar.gz", {**content, "cifar-10-batches-py/data_batch_3": data})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UserError, match=rf"c\.tar\.gz, cifar-10-batches-py/data_batch_3: found .*({complaint})"
    ) as error:
        cifar(tmp_path / "c.tar.gz")
    assert len(str(error.value).splitlines()) == 1
    assert not (tmp_path / "executed").exists()


def test_a_pickle_changes_nothing_of_the_unpickler() -> None:
    """BUILD sets attributes of what a pickle got hold of: here __setstate__ of arrays, then their numpy type."""
    before = {name: dict(vars(getattr(restricted_unpickler, name))) for name in ("_Array", "_Bytes", "_Unpickler")}
    array, kind = b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy\ndtype\n"
    for target in (array, kind, array + b")R", kind + b"(U\x02u1tR", b"cnumpy\nndarray\n"):
        for key in (b"__setstate__", b"__class__", b"__func__", b"__defaults__", b"value"):
            attack = b"\x80\x02" + target + b"N}U" + bytes([len(key)]) + key + kind + b"s\x86b."
            with pytest.raises(pickle.UnpicklingError):
                restricted_unpickler.load(io.BytesIO(attack))
    assert before == {name: dict(vars(getattr(restricted_unpickler, name))) for name in before}


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


MEMBERS = {
    "traversal": member("cifar-10-batches-py/../../outside"),
    "two dots": member("cifar-10-batches-py/.."),
    "outside": member("../data_batch_1"),
    "absolute": member("/cifar-10-batches-py/data_batch_1"),
    "other folder": member("other/data_batch_1"),
    "folder in it": member("cifar-10-batches-py/more/data_batch_1"),
    "symbolic link": member("cifar-10-batches-py/link", tarfile.SYMTYPE, "/etc/passwd"),
    "hard link": member("cifar-10-batches-py/data_batch_7", tarfile.LNKTYPE, "/etc/passwd"),
    "device": member("cifar-10-batches-py/device", tarfile.CHRTYPE),
    "pipe": member("cifar-10-batches-py/pipe", tarfile.FIFOTYPE),
    "second": member("cifar-10-batches-py/data_batch_1"),
    "other directory": member("cifar-10-batches-py/more", tarfile.DIRTYPE),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_an_archive_that_holds_more_than_plain_files_is_refused(tmp_path: Path, name: str) -> None:
    content = formats.cifar_members("cifar10")
    plain_members = [(member(f"cifar-10-batches-py/{k}"), formats.python2_pickle(v)) for k, v in content.items()]
    good = [(member("cifar-10-batches-py", tarfile.DIRTYPE), b""), *plain_members]
    formats.write_tar(tmp_path / "in" / "c.tar.gz", good)
    assert len(cifar(tmp_path / "in" / "c.tar.gz").pixels) == 40
    formats.write_tar(tmp_path / "in" / "c.tar.gz", [*good, (MEMBERS[name], b"")])
    with pytest.raises(UserError, match=rf"c\.tar\.gz: found '{MEMBERS[name].name}' in it, expected plain files"):
        cifar(tmp_path / "in" / "c.tar.gz")
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "c.tar.gz"]


def test_damaged_archives_are_named(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "c.tar.gz"
    with pytest.raises(UserError, match=r"data\.archive: .*c\.tar\.gz is not a file, expected the archive of cifar10"):
        cifar(path)
    formats.write_cifar(path, "cifar10")
    whole = path.read_bytes()
    flipped = bytes([*whole[: len(whole) // 2], whole[len(whole) // 2] ^ 255, *whole[len(whole) // 2 + 1 :]])
    for data in (whole[: len(whole) // 2], whole[:-4], flipped, b"", b"no archive", whole[:3]):
        path.write_bytes(data)
        with pytest.raises(UserError, match=r"c\.tar\.gz: found (something that is not a whole tar\.gz|no cifar)"):
            cifar(path)
    path.write_bytes(whole)
    with pytest.raises(UserError, match=r"found no cifar-100-python/meta|found 'cifar-10-batches-py/batches.meta'"):
        cifar(path, "cifar100")
    monkeypatch.setattr(cifar_archive, "LARGEST", 100_000)
    with pytest.raises(UserError, match="found more than 100000 bytes in it"):
        cifar(path)


CONTENTS: dict[str, tuple[str, bytes, Any, str]] = {
    "another shape": ("data_batch_2", b"data", np.zeros((8, 3071), np.uint8), r"data of shape \(8, 3071\)"),
    "flat": ("data_batch_2", b"data", np.zeros(8 * 3072, np.uint8), "data of shape"),
    "data that is a list": ("data_batch_2", b"data", [1, 2], "data of shape None"),
    "label beyond": ("data_batch_4", b"labels", [10] * 8, "labels that are no labels, expected a list of numbers below 10"),
    "negative label": ("data_batch_4", b"labels", [-1] * 8, "labels that are no labels"),
    "label that is text": ("data_batch_4", b"labels", [b"3"] * 8, "labels that are no labels"),
    "too few labels": ("data_batch_4", b"labels", [3] * 7, "7 labels, expected one for each of the 8 images"),
    "names that are numbers": ("batches.meta", b"label_names", [1, 2], "label_names that are no names"),
    "names twice": ("batches.meta", b"label_names", [b"cat"] * 10, "label_names that are no names"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTENTS)
def test_content_that_does_not_fit_is_named(tmp_path: Path, name: str) -> None:
    file, key, value, complaint = CONTENTS[name]
    content = formats.cifar_members("cifar10")
    content[file][key] = value
    write(tmp_path / "c.tar.gz", content)
    with pytest.raises(UserError, match=rf"c\.tar\.gz, cifar-10-batches-py/{file}: found {complaint}"):
        cifar(tmp_path / "c.tar.gz")
    del content[file][key]
    write(tmp_path / "c.tar.gz", content)
    with pytest.raises(UserError, match=f"{file}: found no entry '{key.decode()}'"):
        cifar(tmp_path / "c.tar.gz")


CLASSES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown class": ({"classes": ["bear", "wolfe"]}, "found no class 'wolfe', expected names such as wolf"),
    "unknown superclass": ({"superclasses": ["medium-sized mammals"]}, "no superclass 'medium-sized mammals', expected names such as medium_mammals"),
    "superclass as a class": ({"classes": ["vehicles_1"]}, "found no class 'vehicles_1'"),
    "class twice": ({"classes": ["bear", "bear"]}, "found the class 'bear' twice"),
    "one class missing": ({"superclasses": SUPERCLASSES, "classes": CIFAR20[:-1]}, "data.classes: .* they differ in train$"),
    "one class exchanged": ({"superclasses": SUPERCLASSES, "classes": [*CIFAR20[:-1], "tractor"]}, "they differ in tractor, train$"),
    "no image of a class": ({"classes": ["bear", "apple"]}, "found no image of apple, expected images of every class"),
    "no image of a superclass": ({"superclasses": ["fish"]}, "found no image of fish"),
}  # fmt: skip


@pytest.mark.parametrize("name", CLASSES)
def test_a_list_of_classes_that_does_not_match_is_refused_by_name(tmp_path: Path, name: str) -> None:
    options, complaint = CLASSES[name]
    formats.write_cifar(tmp_path / "c.tar.gz", "cifar100", per_class=1, classes=CIFAR20)
    with pytest.raises(UserError, match=complaint):
        cifar(tmp_path / "c.tar.gz", "cifar100", **options)


def test_a_class_of_two_superclasses_is_refused(tmp_path: Path) -> None:
    content = formats.cifar_members("cifar100", per_class=2)
    content["train"][b"coarse_labels"][content["train"][b"fine_labels"].index(0)] = 0  # an apple among the mammals
    write(tmp_path / "c.tar.gz", content, "cifar-100-python")
    with pytest.raises(
        UserError, match="the class apple in aquatic_mammals and fruit_and_vegetables, expected it in only one"
    ):
        cifar(tmp_path / "c.tar.gz", "cifar100", superclasses=SUPERCLASSES)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"superclasses": ["fish"]}, r"data\.superclasses: found \['fish'\], expected none, because cifar10"),
        ({"sha256": "6d95"}, r"data\.sha256: found '6d95', expected official, null, or 64 digits"),
        ({"classes": []}, r"data\.classes: found \[\]"),
    ],
)
def test_options_that_cannot_be_are_one_sentence(data: dict[str, Any], complaint: str) -> None:
    config = tiny_config() | {"data": {"source": "cifar", "dataset": "cifar10", "archive": "x", **data}}
    with pytest.raises(UserError, match=complaint):
        read_study(config)


def test_the_fingerprint_of_an_archive_sees_another_one(tmp_path: Path) -> None:
    path = tmp_path / "c.tar.gz"
    options = {"dataset": "cifar10", "archive": str(path)}
    prints = []
    for seed in (0, 1, 0):
        formats.write_cifar(path, "cifar10", seed=seed)
        prints.append(fingerprint("cifar", **options))
    assert prints[0] == prints[2] != prints[1]
    assert fingerprint("cifar", **options, classes=["frog"]) == prints[2]


@pytest.mark.parametrize("block", (ROOT / "docs/data.md").read_text().split("```yaml\n")[1:])
def test_the_studies_of_the_docs_are_valid(block: str) -> None:
    config = tiny_config() | yaml.safe_load(block.split("```")[0])
    if {"caption", "captions"} & set(config["data"]):  # only a network with a prompt takes them
        config |= {"model": {"kind": "lora", "base": "sd", "rank": 4}, "weights": {"sd": {"folder": "sd"}}}
        config["design"]["empty"], config["generation"]["prompts"] = "base", ["a boat"]
    assert read_study(config).data.captioned() == (config["model"]["kind"] == "lora")


# Tables of images


@pytest.fixture
def artbench(tmp_path: Path) -> dict[str, Any]:
    formats.write_artbench(tmp_path / "raw")
    return {
        "path": str(tmp_path / "raw/artbench-10-imagefolder-split"),
        "table": str(tmp_path / "raw/ArtBench-10.csv"),
        "image": "{split}/{label}/{name}",
        "contributor": "artist",
        "where": {"split": "train", "label": "post_impressionism"},
        "size": 16,
    }


def test_artbench_has_the_artists_of_one_style_and_split(artbench: dict[str, Any]) -> None:
    table = pd.read_csv(artbench["table"])
    rows = table[(table.split == "train") & (table.label == "post_impressionism")]
    found = read("image_table", **artbench)
    assert found.contributors == sorted(rows.artist.unique())
    owners = {Path(source).name: found.contributors[i] for source, i in zip(found.source, found.owner, strict=True)}
    assert owners == dict(zip(rows.name, rows.artist, strict=True))
    for source, pixels in zip(found.source, found.pixels, strict=True):
        with Image.open(Path(artbench["path"]) / source) as image:
            assert (np.asarray(image.resize((16, 16), Image.Resampling.LANCZOS)) == pixels).all()


def test_artbench_of_several_styles(artbench: dict[str, Any]) -> None:
    table = pd.read_csv(artbench["table"])
    styles = ["impressionism", "post_impressionism"]
    found = read("image_table", **artbench | {"where": {"split": "train", "label": styles}})
    assert sorted(Path(source).name for source in found.source) == sorted(table[table.split == "train"].name)
    assert {Path(source).parts[1] for source in found.source} == set(styles)


def test_a_central_square_is_cut_out_of_larger_images(artbench: dict[str, Any]) -> None:
    """In the file's own pixels: here without any resizing."""
    found = read("image_table", **artbench | {"crop": 16})
    for source, pixels in zip(found.source, found.pixels, strict=True):
        with Image.open(Path(artbench["path"]) / source) as image:
            assert (np.asarray(image)[24:40, 24:40] == pixels).all()
    with pytest.raises(UserError, match=r"jpg: found 64 x 64 pixels, expected at least data\.crop = 65"):
        read("image_table", **artbench | {"crop": 65})


def test_the_order_of_the_rows_does_not_count(artbench: dict[str, Any]) -> None:
    before = read("image_table", **artbench, sample=3)
    header, *lines = Path(artbench["table"]).read_text().splitlines()
    Path(artbench["table"]).write_text("\n".join([header, *reversed(lines)]))
    after = read("image_table", **artbench, sample=3)
    assert (before.contributors, before.source) == (after.contributors, after.source)
    assert (before.pixels == after.pixels).all()


def small_table(root: Path) -> dict[str, Any]:
    """A folder with two images and their table, a secret beside the folder, and a link to it."""
    for name in ("images/a/one.png", "images/b/two.png", "secret.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), len(name), dtype=np.uint8)).save(root / name)
    (root / "images/link.png").symlink_to(root / "secret.png")
    (root / "images/circle.png").symlink_to("circle.png")
    (root / "table.csv").write_text("file,by\na/one.png,Ann\nb/two.png,Bob\n")
    table = {"path": str(root / "images"), "table": str(root / "table.csv")}
    return {**table, "image": "{file}", "contributor": "by", "size": 8}


LINES = {
    "up": ("../secret.png,Eve", "row 4: found the image '../secret.png', expected a name that stays below .*images"),
    "up and down": ("a/../../secret.png,Eve", "stays below"),
    "absolute": ("/etc/passwd,Eve", "stays below"),
    "link": ("link.png,Eve", "stays below"),
    "circle": ("circle.png,Eve", "row 4: found the image 'circle.png', expected a file in .*images"),
    "null byte": ("a/one.png\0.txt,Eve", "expected a file in .*images"),
    "long": ("x" * 5000 + ",Eve", "expected a file in .*images"),
    "empty name": (",Eve", "found the image '', expected a file in .*images"),
    "folder": ("a,Eve", "expected a file in .*images"),
    "missing": ("a/three.png,Eve", "row 4: found the image 'a/three.png', expected a file in .*images"),
    "twice": ("a/one.png,Eve", "found the image 'a/one.png' again, expected it only in row 2"),
    "twice by another name": ("b/../a//one.png,Eve", "again, expected it only in row 2"),
    "no contributor": ("link.png", "row 4 has 1 fields, expected 2"),
    "empty contributor": ("a/four.png,  ", "row 4: found the image 'a/four.png' without a contributor"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_row_that_cannot_be_is_named(tmp_path: Path, name: str) -> None:
    options = small_table(tmp_path)
    shutil.copy(tmp_path / "secret.png", tmp_path / "images/a/four.png")
    with open(options["table"], "a") as stream:
        stream.write(LINES[name][0] + "\n")
    with pytest.raises(UserError, match=rf"table\.csv: .*{LINES[name][1]}"):
        read("image_table", **options)


OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no contributor": ({"contributor": "artist"}, r"table\.csv: found the column 'artist' nowhere in file,by, expected it once \(data\.contributor\)"),
    "no image": ({"image": "{name}"}, "found the column 'name' nowhere"),
    "no where": ({"where": {"split": "train"}}, r"found the column 'split' nowhere .* \(data\.where\.split\)"),
    "nothing left": ({"where": {"by": "Zoe"}}, "found no row with {'by': 'Zoe'}"),
    "no table": ({"table": "none.csv"}, "none.csv: no such file or directory, expected a CSV file"),
    "no folder": ({"path": "none"}, "data.path: none is not a folder"),
    "attribute of a cell": ({"image": "{file.__class__}"}, "found the column 'file.__class__' nowhere"),
    "one image for all": ({"image": "a/one.png"}, "found the image 'a/one.png' again"),
    "sample too large": ({"sample": 3}, "data.sample: found 3, expected at most 2, the number of contributors"),
    "too few images": ({"minimum_images": 2}, "found no contributor with at least data.minimum_images = 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_options_that_do_not_fit_the_table_are_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=OPTIONS[name][1]):
        read("image_table", **{**small_table(tmp_path), **OPTIONS[name][0]})


def test_cells_are_data(tmp_path: Path) -> None:
    """Braces in a cell are no columns; hostile contributors stay names."""
    options = small_table(tmp_path)
    (tmp_path / "images/{by}.png").write_bytes((tmp_path / "secret.png").read_bytes())
    names = ["../../x", '"<b>\n', "{by}.png"]
    frame = pd.DataFrame({"file": ["a/one.png", "b/two.png", "{by}.png"], "by": names})
    frame.to_csv(options["table"], index=False)
    assert sorted(read("image_table", **options).contributors) == sorted(names)
    assert {path.name for path in tmp_path.iterdir()} == {"images", "secret.png", "table.csv"}


def test_fingerprints_see_the_table_and_the_images_that_take_part(artbench: dict[str, Any]) -> None:
    def current() -> str:
        return fingerprint("image_table", **artbench)

    first = current()
    style = Path(artbench["path"]) / "train/impressionism"
    shutil.rmtree(style)
    Path(artbench["table"]).touch()
    assert current() == first
    table = Path(artbench["table"]).read_text()
    Path(artbench["table"]).write_text(table.replace("paul-cezanne,", "paul-gauguin,", 1))
    assert current() != first
    Path(artbench["table"]).write_text(table)
    assert current() == first
    image = next((Path(artbench["path"]) / "train/post_impressionism").iterdir())
    data = bytearray(image.read_bytes())
    data[-9] ^= 1
    image.write_bytes(data)
    assert current() != first


def test_pixels_are_held_once(tmp_path: Path) -> None:
    formats.write_artbench(tmp_path, artists=4, per_artist=10, size=32)
    table = {"path": str(tmp_path / "artbench-10-imagefolder-split"), "table": str(tmp_path / "ArtBench-10.csv")}
    options = {**table, "image": "{split}/{label}/{name}", "contributor": "artist", "size": 256}
    tracemalloc.start()
    found = read("image_table", **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.pixels.nbytes == 48 * 256 * 256 * 3
    assert peak < 1.3 * found.pixels.nbytes


# CelebA-HQ


@pytest.fixture
def celeba(tmp_path: Path) -> dict[str, Any]:
    formats.write_celeba_hq(tmp_path / "raw")
    names = {"identities": "identity_CelebA.txt", "mapping": "CelebA-HQ-to-CelebA-mapping.txt", "path": "CelebA-HQ-img"}
    return {key: str(tmp_path / "raw" / name) for key, name in names.items()} | {"size": 16}


def test_celeba_hq_joins_its_two_files(celeba: dict[str, Any]) -> None:
    mapping = pd.read_csv(celeba["mapping"], sep=r"\s+")
    identity = pd.read_csv(celeba["identities"], sep=" ", names=["orig_file", "identity"])
    merged = mapping.merge(identity, on="orig_file")
    count = merged.groupby("identity").idx.transform("count")
    expected = {f"{row.idx}.jpg": f"identity {row.identity}" for row in merged[count >= 4].itertuples()}
    found = read("celeba_hq", **celeba, minimum_images=4)
    assert dict(zip(found.source, (found.contributors[i] for i in found.owner), strict=True)) == expected
    assert len(found.contributors) == 6
    (note,) = found.notes
    assert note.startswith("left out 2 contributors with fewer than data.minimum_images = 4 images")


def test_without_a_mapping_identities_are_those_of_the_folders_names(celeba: dict[str, Any]) -> None:
    Path(celeba["identities"]).write_text("3.jpg 12\n\n1.jpg 7\n10.jpg 12\n")
    found = read("celeba_hq", **celeba | {"mapping": None})
    assert found.contributors == ["identity 7", "identity 12"]
    assert found.source == ["1.jpg", "10.jpg", "3.jpg"]
    assert found.owner.tolist() == [0, 1, 1]


def edit(key: str, old: str, new: str) -> Callable[[dict[str, Any]], object]:
    return lambda options: Path(options[key]).write_text(Path(options[key]).read_text().replace(old, new))


def append(key: str, line: str) -> Callable[[dict[str, Any]], object]:
    return lambda options: Path(options[key]).write_text(Path(options[key]).read_text() + line + "\n")


CELEBA: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no folder": (lambda o: shutil.rmtree(o["path"]), "data.path: .*CelebA-HQ-img is not a folder"),
    "no identities": (lambda o: os.remove(o["identities"]), "identity_CelebA.txt: no such file"),
    "image missing": (lambda o: os.remove(o["path"] + "/7.jpg"), "CelebA-HQ-img/7.jpg: not found, although .*mapping.txt lists it"),
    "image of two kinds": (lambda o: shutil.copy(o["path"] + "/7.jpg", o["path"] + "/7.png"), "found both 7.jpg and 7.png"),
    "image twice": (append("mapping", "7 1 999999.jpg"), "mapping.txt: row 28: found '7 1 999999.jpg', expected every image once"),
    "origin twice": (lambda o: append("mapping", "99 1 " + Path(o["mapping"]).read_text().split()[-1])(o), "row 28: .*expected every image once"),
    "no identity of one": (append("mapping", "26 1 999999.jpg"), "26.jpg: not found"),
    "no origin": (edit("identities", ".jpg ", ".png "), r"identity_CelebA.txt: found no line for \d+.jpg, which .*mapping.txt lists"),
    "other columns": (edit("mapping", "orig_file", "file"), "row 1: found 'idx orig_idx file', expected the columns idx and orig_file"),
    "empty mapping": (lambda o: Path(o["mapping"]).write_text(""), "row 1: found '', expected the columns"),
    "half a row": (append("mapping", "30 5"), "row 28: found '30 5', expected the columns idx orig_idx orig_file"),
    "identity twice": (append("identities", "000001.jpg 5"), "found '000001.jpg 5', expected every file once"),
    "identity that is text": (append("identities", "x.jpg me"), "found 'x.jpg me', expected a file name and the number"),
    "three fields": (append("identities", "x.jpg 1 2"), "expected a file name and the number of an identity"),
    "not text": (lambda o: Path(o["identities"]).write_bytes(b"\xff\xfe"), "found something that is not text in UTF-8"),
    "upwards": (append("mapping", "../secret 1 000002.jpg"), r"CelebA-HQ-img/../secret.jpg: not found|every image once"),
}  # fmt: skip


@pytest.mark.parametrize("name", CELEBA)
def test_a_celeba_that_cannot_be_is_one_sentence(celeba: dict[str, Any], name: str) -> None:
    (Path(celeba["path"]).parent / "secret.jpg").write_bytes((Path(celeba["path"]) / "0.jpg").read_bytes())
    change, complaint = CELEBA[name]
    change(celeba)
    with pytest.raises(UserError, match=complaint):
        read("celeba_hq", **celeba)


def test_the_fingerprint_sees_identities_and_images(celeba: dict[str, Any]) -> None:
    prints = [fingerprint("celeba_hq", **celeba, minimum_images=4)]
    append("identities", "999999.jpg 1")(celeba)
    prints.append(fingerprint("celeba_hq", **celeba, minimum_images=4))
    taken = read("celeba_hq", **celeba, minimum_images=4).source[0]
    Image.new("RGB", (64, 64)).save(Path(celeba["path"]) / taken)
    prints.append(fingerprint("celeba_hq", **celeba, minimum_images=4))
    assert len(set(prints)) == 3


# Drawing contributors


def test_a_sample_depends_on_the_names_alone(celeba: dict[str, Any]) -> None:
    draws = {k: read("celeba_hq", **celeba, minimum_images=4, sample=k).contributors for k in (2, 4, 6)}
    assert set(draws[2]) < set(draws[4]) < set(draws[6]) and len(draws[4]) == 4
    _, *lines = Path(celeba["identities"]).read_text().splitlines(keepends=True)
    first = Path(celeba["identities"]).read_text().splitlines(keepends=True)[0]
    Path(celeba["identities"]).write_text("".join([*reversed(lines), first]))
    assert read("celeba_hq", **celeba, minimum_images=4, sample=4).contributors == draws[4]
    others = [read("celeba_hq", **celeba, minimum_images=4, sample=2, sample_seed=s).contributors for s in range(9)]
    assert len({tuple(names) for names in others}) > 3


def test_a_sample_is_drawn_evenly(tmp_path: Path) -> None:
    from diffusion_credit.data.image_files import ImageOptions, take_part

    files = {f"identity {i}": [Path("x")] for i in range(20)}
    counts = dict.fromkeys(files, 0)
    for seed in range(400):
        options = ImageOptions(source="", path=str(tmp_path), size=8, sample=5, sample_seed=seed)
        for name in take_part(files, options)[0]:
            counts[name] += 1
    # 400 draws of 5 of 20: each 100 times on average, standard deviation sqrt(400 * 0.25 * 0.75) = 8.7
    assert all(abs(count - 100) < 4 * 8.7 for count in counts.values())
