"""The clipart study's images: what is made of a drawing, and that the committed ones are what their table says."""

import hashlib
import importlib.util
import os
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from studies import ROOT

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.tables import read_csv
from diffusion_credit.data import clipart
from diffusion_credit.data.clipart import PUBLIC_DOMAIN, Unusable, chosen, read_artists, usable_drawings, write_drawings

COMMITTED = ROOT / "resources/clipart"
MARK = "http://web.resource.org/cc/PublicDomain"
SQUARE = '<rect width="100" height="100" fill="#00f"/>'
needs_resvg = pytest.mark.skipif(
    importlib.util.find_spec("resvg_py") is None, reason="resvg-py is not installed: pip install -e '.[clipart]'"
)


def svg(
    body: str = SQUARE,
    creator: str = "Ann",
    mark: str | None = MARK,
    size: str = "100",
    prolog: str = "",
    title: str = "A",
) -> bytes:
    """A drawing with its metadata, as the Open Clip Art Library's have it."""
    licence = "" if mark is None else f'<cc:license rdf:resource="{mark}"/>'
    return f"""<?xml version="1.0" encoding="UTF-8"?>{prolog}
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
 xmlns:cc="http://web.resource.org/cc/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 width="{size}" height="{size}" viewBox="0 0 100 100">
<metadata><rdf:RDF><cc:Work rdf:about=""><dc:title>{title}</dc:title>
<dc:publisher><cc:Agent><dc:title>Open Clip Art Library</dc:title></cc:Agent></dc:publisher>
<dc:creator><cc:Agent><dc:title>{creator}</dc:title></cc:Agent></dc:creator>{licence}</cc:Work></rdf:RDF></metadata>
{body}</svg>""".encode()


def circle(radius: int) -> str:
    return f'<circle cx="50" cy="50" r="{radius}" fill="#c00"/><rect width="9" height="{radius}"/>'


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
HOSTILE = {
    "external.svg": svg(title="&x;", prolog='<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    "laughs.svg": svg(title="&l9;", prolog=f'<!DOCTYPE svg [<!ENTITY l0 "ha">{LAUGHS}]>'),
    "parameter.svg": svg(prolog='<!DOCTYPE svg [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>'),
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder of drawings with every case."""
    drawings = {
        "a/one.svg": svg(circle(20), title="A circle &amp; more"),
        "a/two.svg": svg(circle(30), creator="ANN"),
        "a/three.svg": svg(circle(40), creator="Ann (ann@example.org)"),
        "b/duplicate.svg": svg(circle(20), title="again"),
        "b/four.svg": svg(circle(25), creator="Bob", size="2in"),
        "b/five.svg": svg(circle(35), creator="Bob", prolog='<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.0//EN" "x.dtd">'),
        "b/contested.svg": svg(circle(45), creator="Bob"),
        "c/contested.svg": svg(circle(45), creator="Cy"),
        "c/unmarked.svg": svg(circle(5), mark=None),
        "c/gpl.svg": svg(circle(6), mark="http://creativecommons.org/licenses/GPL/2.0/"),
        "c/nobody.svg": svg(circle(7), creator="Anonymous"),
        "c/address.svg": svg(circle(8), creator="cy@example.org"),
        "c/blank.svg": svg(""),
        "c/white.svg": svg('<rect width="100" height="100" fill="#fff"/>'),
        "c/photo.svg": svg('<image width="9" height="9" xlink:href="/etc/passwd"/>' + circle(9)),
        "c/text.svg": svg('<text x="10" y="50">STOP</text>'),
        "c/broken.svg": b"<svg",
        "logos/six.svg": svg(circle(10)),
        "unsorted/linux_LOGO.svg": svg(circle(11)),
        **{f"hostile/{name}": content for name, content in HOSTILE.items()},
    }
    for name, content in drawings.items():
        path = tmp_path / "svg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "svg/unsorted/link.svg").symlink_to("../a/one.svg")
    return tmp_path / "svg"


ARTISTS = {"ANN": "Ann", "Anonymous": ""}


@needs_resvg
def test_what_is_left_out_and_why(package: Path) -> None:
    drawings, reasons = usable_drawings(package, ARTISTS, 32)
    assert [(drawing.source, drawing.metadata.artist) for drawing in drawings] == [
        ("a/one.svg", "Ann"),
        ("a/three.svg", "Ann"),
        ("a/two.svg", "Ann"),
        ("b/five.svg", "Bob"),
        ("b/four.svg", "Bob"),
    ]
    assert drawings[0].metadata.title == "A circle & more"
    assert reasons == {
        "duplicate": 3,  # one of Ann's own, and two that nobody can tell whose they are
        "no public-domain mark": 2,
        "no artist's name": 2,
        "blank": 3,  # text too: it would depend on the machine's fonts
        "shows a picture from elsewhere": 1,
        "not XML": 1,
        "logo": 2,
        "declares entities": 3,
        "link to another drawing": 1,
    }


@needs_resvg
def test_the_same_bytes_again_and_nothing_of_an_earlier_build(package: Path, tmp_path: Path) -> None:
    for name in ("once", "again"):
        (tmp_path / name / "images").mkdir(parents=True)
        (tmp_path / name / "images/0007.png").write_bytes(b"old")
        drawings, _ = usable_drawings(package, ARTISTS, 32)
        write_drawings(chosen(drawings, artists=2, each=2), tmp_path / name)
    once, again = ({p.name: p.read_bytes() for p in (tmp_path / n).rglob("*.*")} for n in ("once", "again"))
    assert once == again
    assert sorted(once) == ["0000.png", "0001.png", "0002.png", "0003.png", "provenance.csv"]
    _, rows = read_csv(tmp_path / "once/provenance.csv")
    assert [row[1] for row in rows] == ["Ann", "Ann", "Bob", "Bob"]
    for file, _, _, _, source, source_sha256, sha256 in rows:
        assert hashlib.sha256(once[file]).hexdigest() == sha256
        assert hashlib.sha256((package / source).read_bytes()).hexdigest() == source_sha256


@pytest.mark.parametrize("name", HOSTILE)
def test_entities_are_refused_before_they_are_read(name: str) -> None:
    with pytest.raises(Unusable, match="declares entities"):
        clipart.metadata_of(HOSTILE[name])


@needs_resvg
def test_a_drawing_fills_a_white_square_in_its_proportions() -> None:
    body = '<rect x="10" y="40" width="40" height="20" fill="#f00"/>'
    for size in ("100", "3in", "7mm"):
        pixels = clipart.rendered(svg(body, size=size), 16)
        assert pixels.shape == (16, 16, 3) and pixels.dtype == np.uint8
        assert (pixels[:4] == 255).all() and (pixels[12:] == 255).all()
        assert np.abs(pixels[5:11, 1:-1].astype(int) - [255, 0, 0]).max() < 8


@needs_resvg
def test_fewer_artists_than_asked_for(package: Path) -> None:
    drawings, _ = usable_drawings(package, ARTISTS, 8)
    assert {drawing.metadata.artist for drawing in chosen(drawings, artists=1, each=9)} == {"Ann"}
    with pytest.raises(UserError, match="found usable drawings of 2 artists, expected 3"):
        chosen(drawings, artists=3, each=9)


def test_a_folder_without_drawings(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"found no drawings, expected those of the Debian package openclipart-svg"):
        usable_drawings(tmp_path, {}, 32)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("spelling,name\nA,B", "found the columns spelling,name, expected spelling,artist,note"),
        ("spelling,artist,note\nA,B,\nA,C,", "found the spelling 'A' twice"),
        ("spelling,artist,note\nA,B,\nB,C,", "found the artist 'B', who is also a spelling of 'C'"),
    ],
)
def test_a_faulty_table_of_artists(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "artists.csv").write_text(rows)
    with pytest.raises(UserError, match=message):
        read_artists(tmp_path / "artists.csv")


# The committed images


def committed() -> list[dict[str, str]]:
    header, rows = read_csv(COMMITTED / "provenance.csv")
    assert header == clipart.COLUMNS
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_the_committed_images_are_those_of_the_table() -> None:
    rows = committed()
    assert [row["file"] for row in rows] == [f"{number:04d}.png" for number in range(len(rows))]
    assert sorted(os.listdir(COMMITTED / "images")) == [row["file"] for row in rows]
    seen = set()
    for row in rows:
        path = COMMITTED / "images" / row["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"], path
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "RGB", (32, 32)), path
            seen.add(image.tobytes())
        assert row["licence"] in PUBLIC_DOMAIN and row["title"] and len(row["source_sha256"]) == 64
        assert row["source"].endswith(".svg") and "logo" not in row["source"].lower()
    assert len(seen) == len({row["source"] for row in rows}) == len(rows)


def test_the_committed_artists_have_one_name_each() -> None:
    counts = Counter(row["artist"] for row in committed())
    assert len(counts) == 20 and min(counts.values()) >= 25 and max(counts.values()) == 64
    reviewed = read_artists(COMMITTED / "artists.csv")
    assert all(reviewed.get(name, name) == name and "@" not in name for name in counts)
    plain = [unicodedata.normalize("NFKD", name).encode("ascii", "ignore").lower() for name in counts]
    assert len({tuple(sorted(name.replace(b".", b"").split())) for name in plain}) == 20


def test_the_study_reads_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    data = yaml.safe_load((ROOT / "config/studies/clipart.yaml").read_text())["data"]
    source = module_of("sources", data["source"])
    images = source.read(source.Options.model_validate(data))
    assert Counter(images.contributors[i] for i in images.owner) == Counter(row["artist"] for row in committed())
