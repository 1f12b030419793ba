"""Letters of all scripts: what the page's fonts hold, read back, and that figures draw names instead of boxes."""

import base64
import io
import re
import warnings
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from diffusion_credit.report import figures
from diffusion_credit.report.letters import faces, uncommon

NAMES = ["花江 夏樹", "محمد علي", "한국인 😀", "Ana", "Zoë", "שלום", "γειά", "们"]


def fonts(css: str) -> list[tuple[str, TTFont]]:
    """The letters that each font is meant for, and the font."""
    found = re.findall(r'font-family: "Letters"; unicode-range: (.+?); src: url\(data:font/woff;base64,(.+?)\)', css)
    return [
        (
            "".join(chr(int(code, 16)) for code in re.findall(r"U\+(\w+)", codes)),
            TTFont(io.BytesIO(base64.b64decode(data))),
        )
        for codes, data in found
    ]


def test_the_pages_fonts_hold_the_uncommon_letters_and_no_others() -> None:
    text = " ".join(NAMES)
    css = faces(text)
    assert css == faces(text[::-1])
    read = fonts(css)
    assert [set(meant) for meant, _ in read] == [set("محمدعلي😀שלום"), set("花江夏樹한국인们")]
    assert all(set(meant) == {chr(code) for code in font.getBestCmap()} for meant, font in read)
    assert len(css) < 25_000
    for _, font in read:  # their licences ask for the copyright, or for themselves
        assert "Copyright" in font["name"].getDebugName(0) or "©" in font["name"].getDebugName(0)
        assert font["name"].getDebugName(13)
    # what joins Arabic letters is still there
    assert {"init", "medi", "fina"} <= {r.FeatureTag for r in read[0][1]["GSUB"].table.FeatureList.FeatureRecord}


def test_a_page_of_common_letters_has_no_font() -> None:
    assert faces("Zoë Łukasz γειά – 5 ≥ 3 → 1⁄2 “x”") == ""
    assert uncommon("a\u0301é я ω") == set()
    assert uncommon("李（上海）、〈張〉 ★") == set("李（上海）、〈張〉★")


@pytest.mark.parametrize("name", NAMES)
def test_figures_have_every_letter(name: str, tmp_path: Path) -> None:
    """matplotlib warns of a letter that none of its fonts has, and draws a box."""
    figure, axes = figures.plt.subplots(figsize=(2, 1))
    axes.set_title(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures.save(figure, tmp_path / "a.png")
