"""Letters of all scripts: fonts for the names of contributors, in figures and inside of the page.

DejaVu Sans, which comes with matplotlib, has Latin, Greek, Cyrillic, Arabic, Hebrew, Armenian, Georgian and some emoji;
Noto Sans CJK has Chinese, Japanese and Korean. Of other scripts the reader's own fonts draw the names of the page.
"""

import base64
import io
import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import matplotlib
from matplotlib import font_manager

COMMON = 0x530  # below are Latin, Greek and Cyrillic letters and their accents, which every reader has
SIGNS = range(0x2000, 0x2300)  # dashes, quotation marks, currencies, arrows and signs of mathematics, likewise
FAMILIES = ("DejaVu Sans", "Noto Sans CJK JP")


@cache
def _files() -> tuple[Path, ...]:
    """The fonts, in the order of FAMILIES. An installation from before the second one was needed may lack it."""
    spec = find_spec("notojp_matplotlib")  # is not imported, because that would change matplotlib's settings
    folders = (spec.submodule_search_locations or []) if spec else []
    first = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
    return first, *(Path(folder) / "fonts/NotoSansCJKjp-Regular.otf" for folder in folders)


def use_in_figures() -> None:
    """Let matplotlib draw a letter that its own font lacks with the other one."""
    for file in _files():
        font_manager.fontManager.addfont(file)
    matplotlib.rcParams["font.family"] = [*FAMILIES[: len(_files())], "sans-serif"]


def uncommon(text: str) -> set[str]:
    """The letters, signs and pictures of a text that not every reader's font has."""
    seen = {letter for letter in set(text) if unicodedata.category(letter)[0] not in "CZ"}
    return {letter for letter in seen if ord(letter) >= COMMON and ord(letter) not in SIGNS}


def faces(text: str) -> str:
    """CSS of the font family `Letters`, which has the uncommon letters of a text and no others; nothing without any.

    With it a page can be read where no font has these letters. In figures it has to stand before all other families:
    otherwise Chromium goes on drawing boxes that it drew before the family had been read. The same text gives the same
    bytes.
    """
    css, left = "", uncommon(text)
    for file in _files() if left else ():
        found, data = _subset(file, left)
        if found:
            codes = ", ".join(f"U+{ord(letter):X}" for letter in sorted(found))
            source = f"url(data:font/woff;base64,{base64.b64encode(data).decode()})"
            css += f'@font-face {{ font-family: "Letters"; unicode-range: {codes}; src: {source}; }}\n'
        left -= found
    return css


def _subset(file: Path, letters: set[str]) -> tuple[set[str], bytes]:
    """Which of some letters a font has, and the font with nothing but these, its copyright and its licence."""
    from fontTools import subset  # takes its time, and few pages need it

    options = subset.Options(flavor="woff", hinting=False, name_IDs=[0, 1, 2, 4, 13, 14])
    options.drop_tables += ["FFTM"]  # of FontForge, unknown to fontTools
    font = subset.load_font(file, options)
    found = letters & set(map(chr, font.getBestCmap()))
    only = subset.Subsetter(options)
    only.populate(text="".join(sorted(found)))
    only.subset(font)
    stream = io.BytesIO()
    subset.save_font(font, stream, options)
    return found, stream.getvalue()
