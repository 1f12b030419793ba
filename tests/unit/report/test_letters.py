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


def fonts(css: str) -> dict[str, TTFont]:
    found = re.findall(r'font-family: "(.+?)"; src: url\(data:font/woff;base64,(.+?)\)', css)
    return {name: TTFont(io.BytesIO(base64.b64decode(data))) for name, data in found}


def test_the_pages_fonts_hold_the_uncommon_letters_and_no_others() -> None:
    text = " ".join(NAMES)
    css = faces(text)
    assert css == faces(text[::-1])
    read = fonts(css)
    held = {name: {chr(code) for code in font.getBestCmap()} for name, font in read.items()}
    assert held == {"Letters 1": set("محمدعلي😀שלוםγειά"), "Letters 2": set("花江夏樹한국인们")}
    assert len(css) < 25_000
    for font in read.values():  # their licences ask for the copyright, or for themselves
        assert "Copyright" in font["name"].getDebugName(0) or "©" in font["name"].getDebugName(0)
        assert font["name"].getDebugName(13)
    # what joins Arabic letters is still there
    assert {"init", "medi", "fina"} <= {r.FeatureTag for r in read["Letters 1"]["GSUB"].table.FeatureList.FeatureRecord}


def test_a_page_of_common_letters_has_no_font() -> None:
    assert faces("Zoë Łukasz – 5 ≥ 3 → 1⁄2 “x”") == ""
    assert uncommon("a\u0301é") == {"\u0301"}
    assert uncommon("李（上海）、〈張〉 ★") == set("李（上海）、〈張〉★")


@pytest.mark.parametrize("name", NAMES)
def test_figures_have_every_letter(name: str, tmp_path: Path) -> None:
    """matplotlib warns of a letter that none of its fonts has, and draws a box."""
    figure, axes = figures.plt.subplots(figsize=(2, 1))
    axes.set_title(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures.save(figure, tmp_path / "a.png")
