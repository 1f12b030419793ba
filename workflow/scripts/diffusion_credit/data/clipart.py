"""Drawings of Debian's openclipart-svg -> small images with their artist, licence and source, for the study `clipart`.

The files are anybody's: nothing in them is followed. One that declares entities, or shows a picture from elsewhere, is
left out before it is rendered, and text is not drawn, as its look depends on the fonts of the machine.
"""

import hashlib
import io
import os
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

import numpy as np
from PIL import Image

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import replacing
from diffusion_credit.base.tables import read_csv, write_csv

PACKAGE = Path("/usr/share/openclipart/svg")  # where Debian puts the drawings
PUBLIC_DOMAIN = {
    "http://web.resource.org/cc/PublicDomain",
    "http://creativecommons.org/licenses/publicdomain/",
}
DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
ADDRESS = re.compile(r"\s*[(<\[][^()<>\[\]]*@[^()<>\[\]]*[)>\]]")  # an e-mail address in brackets
COLUMNS = ["file", "artist", "title", "licence", "source", "source_sha256", "sha256"]
SPELLINGS = ["spelling", "artist", "note"]
CANVAS = 256  # pixels that a drawing is rendered at, before it is cut out and made small
DPI = 96.0  # of lengths in inches or millimetres; resvg-py's own default makes such drawings empty
BLANK = 16  # levels of 255 that some channel has to vary by


class Unusable(Exception):
    """Why a drawing is left out, in a few words."""


@dataclass(frozen=True)
class Metadata:
    """What a drawing says of itself. artist: as it is spelt there."""

    artist: str
    title: str
    licence: str


@dataclass(frozen=True)
class Drawing:
    """A usable drawing. source: its path in the package. pixels: (size, size, 3) uint8, on white."""

    source: str
    source_sha256: str
    metadata: Metadata
    pixels: np.ndarray


def metadata_of(svg: bytes) -> Metadata:
    """A drawing's metadata. Raises Unusable where it is not safe, not public domain, or not one artist's."""
    _refuse_entities(svg)
    try:
        root = ET.fromstring(svg)
    except (ET.ParseError, ValueError, LookupError):  # the last two: odd encodings
        raise Unusable("not XML") from None
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    if any(_local(element) in ("image", "feImage") for element in elements):
        raise Unusable("shows a picture from elsewhere")
    marks = [element.get(f"{RDF}resource") or "" for element in elements if _local(element) == "license"]
    if not marks or not PUBLIC_DOMAIN.issuperset(marks):
        raise Unusable("no public-domain mark")
    creators = {_text(element) for element in elements if element.tag == f"{DUBLIN_CORE}creator"}
    if len(creators) > 1:
        raise Unusable("several artists")
    works = [element for element in elements if _local(element) == "Work"]
    titles = [_text(title) for work in works for title in work.findall(f"{DUBLIN_CORE}title")]
    return Metadata(ADDRESS.sub("", "".join(creators)).strip(), "".join(titles[:1]), marks[0])


def _refuse_entities(svg: bytes) -> None:
    """Raise Unusable at the declaration of an entity: before it could be expanded, or a file read for it."""

    def refuse(*_: object) -> NoReturn:
        raise Unusable("declares entities")

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(svg, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise Unusable("not XML") from None


def _local(element: ET.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _text(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def rendered(svg: bytes, size: int) -> np.ndarray:
    """A drawing as (size, size, 3) uint8: what is drawn fills a white square as far as its proportions allow.

    No font and no setting of the machine enters the pixels, only the versions of resvg-py and Pillow. Call
    `metadata_of` first, which refuses what is not safe. Raises Unusable on what is empty or cannot be rendered.
    """
    import resvg_py

    try:
        text = ET.tostring(ET.fromstring(svg), encoding="unicode")  # whatever its encoding was
        png = resvg_py.svg_to_bytes(svg_string=text, width=CANVAS, height=CANVAS, dpi=DPI, skip_system_fonts=True)
    except ValueError:
        raise Unusable("not rendered") from None
    drawn = Image.open(io.BytesIO(png)).convert("RGBA")
    if (box := drawn.getchannel("A").getbbox()) is None:
        raise Unusable("blank")
    drawn = drawn.crop(box)
    white = Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("RGB")
    scale = size / max(white.size)
    width, height = (max(1, round(length * scale)) for length in white.size)
    square = Image.new("RGB", (size, size), "white")
    small = white.resize((width, height), Image.Resampling.LANCZOS)
    square.paste(small, ((size - width) // 2, (size - height) // 2))
    pixels = np.asarray(square)
    if np.ptp(pixels, axis=(0, 1)).max() < BLANK:
        raise Unusable("blank")
    return pixels


def read_artists(path: Path) -> dict[str, str]:
    """Spelling -> artist, empty for names to leave out, of a table with the columns `SPELLINGS`.

    Raises UserError on other columns, on a spelling that is listed twice, and on an artist who is a spelling of
    another one.
    """
    header, rows = read_csv(path)
    if header != SPELLINGS:
        raise UserError(f"{path}: found the columns {','.join(header)[:80]}, expected {','.join(SPELLINGS)}")
    artists: dict[str, str] = {}
    for spelling, artist, _ in rows:
        if spelling in artists:
            raise UserError(f"{path}: found the spelling {spelling!r} twice, expected it once")
        artists[spelling] = artist
    for artist in artists.values():
        if artists.get(artist, artist) != artist:
            raise UserError(
                f"{path}: found the artist {artist!r}, who is also a spelling of {artists[artist]!r}, expected one name"
            )
    return artists


def usable_drawings(
    root: Path, artists: Mapping[str, str], size: int, progress: Callable[[int, int], None] = lambda done, of: None
) -> tuple[list[Drawing], Counter[str]]:
    """The usable drawings below `root`, artists named as in `artists`, and how many were left out for which reason.

    Sorted by path. Of drawings that look the same, the first stays if all are of one artist, else none: nothing says
    whose it is. Raises UserError when there is no drawing at all.
    """
    paths = sorted(root.rglob("*.svg"), key=lambda path: path.relative_to(root).as_posix())
    if not paths:
        raise UserError(f"{root}: found no drawings, expected those of the Debian package openclipart-svg")
    found: list[Drawing] = []
    reasons: Counter[str] = Counter()
    for number, path in enumerate(paths, start=1):
        try:
            found.append(_drawing(path, root, artists, size))
        except Unusable as reason:
            reasons[str(reason)] += 1
        progress(number, len(paths))
    alike: dict[bytes, list[Drawing]] = {}
    for drawing in found:
        alike.setdefault(drawing.pixels.tobytes(), []).append(drawing)
    kept = [same[0] for same in alike.values() if len({drawing.metadata.artist for drawing in same}) == 1]
    reasons["duplicate"] += len(found) - len(kept)
    named = [drawing for drawing in kept if drawing.metadata.artist]
    reasons["no artist's name"] += len(kept) - len(named)
    return named, reasons


def _drawing(path: Path, root: Path, artists: Mapping[str, str], size: int) -> Drawing:
    """One drawing. Raises Unusable."""
    source = path.relative_to(root).as_posix()
    if "logo" in source.lower():
        raise Unusable("logo")
    if path.is_symlink():
        raise Unusable("link to another drawing")
    svg = path.read_bytes()
    metadata = metadata_of(svg)
    artist = "" if "@" in metadata.artist else artists.get(metadata.artist, metadata.artist)
    title = metadata.title or path.stem.replace("_", " ")
    digest = hashlib.sha256(svg).hexdigest()
    return Drawing(source, digest, replace(metadata, artist=artist, title=title), rendered(svg, size))


def chosen(drawings: Iterable[Drawing], artists: int, each: int) -> list[Drawing]:
    """At most `each` drawings of the `artists` artists who have most, sorted by artist and path.

    Which of an artist's drawings is decided by digests of their paths: neighbours in the package are often variants of
    one drawing. Raises UserError when there are fewer artists.
    """
    by_artist: dict[str, list[Drawing]] = {}
    for drawing in drawings:
        by_artist.setdefault(drawing.metadata.artist, []).append(drawing)
    most = sorted(by_artist, key=lambda artist: (-len(by_artist[artist]), artist))[:artists]
    if len(most) < artists:
        raise UserError(f"found usable drawings of {len(most)} artists, expected {artists}")
    result = []
    for artist in sorted(most):
        drawn = sorted(by_artist[artist], key=lambda drawing: hashlib.sha256(drawing.source.encode()).digest())
        result += sorted(drawn[:each], key=lambda drawing: drawing.source)
    return result


def write_drawings(drawings: Iterable[Drawing], folder: Path) -> None:
    """Write `images/0000.png` and so on, numbered, and `provenance.csv`; remove other images."""
    images = folder / "images"
    rows = []
    for number, drawing in enumerate(drawings):
        name = f"{number:04d}.png"
        with replacing(images / name) as temporary:
            Image.fromarray(drawing.pixels).save(temporary, "png", optimize=True)
        digest = hashlib.sha256((images / name).read_bytes()).hexdigest()
        work = drawing.metadata
        rows.append([name, work.artist, work.title, work.licence, drawing.source, drawing.source_sha256, digest])
    for other in sorted({path.name for path in images.glob("*.png")} - {row[0] for row in rows}):
        os.unlink(images / other)
    write_csv(folder / "provenance.csv", COLUMNS, rows)
