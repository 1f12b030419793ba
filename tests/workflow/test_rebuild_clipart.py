"""The images of the study `clipart` are rebuilt by a rule of their own, when the package is there."""

import importlib.util
import shutil
from pathlib import Path

import pytest
from studies import ROOT, Workspace

from diffusion_credit.base.tables import read_csv
from diffusion_credit.data.clipart import PACKAGE

pytestmark = pytest.mark.workflow


@pytest.fixture
def rebuilt(workspace: Workspace, tmp_path: Path) -> Workspace:
    """The rule, set to ten drawings of two artists in a folder of the test."""
    rule, library = "rules/clipart.smk", "workflow/scripts/diffusion_credit/data/clipart.py"
    for file, old, new in (
        (library, str(PACKAGE), str(tmp_path / "svg")),
        (rule, "artists=20", "artists=2"),
        (rule, "each=64", "each=4"),
    ):
        text = (workspace.folder / file).read_text()
        assert text.count(old) == 1
        (workspace.folder / file).write_text(text.replace(old, new))
    (workspace.folder / "resources/clipart/images").mkdir(parents=True)
    shutil.copy(ROOT / "resources/clipart/artists.csv", workspace.folder / "resources/clipart")
    return workspace


@pytest.mark.skipif(importlib.util.find_spec("resvg_py") is None, reason="resvg-py is not installed")
def test_the_images_are_rebuilt_and_again_to_the_same_bytes(rebuilt: Workspace, tmp_path: Path) -> None:
    (tmp_path / "svg").mkdir()
    for number in range(10):
        artist = ("Patricia Fidi", "Patricia FIDI", "mo")[number % 3]
        (tmp_path / f"svg/{number}.svg").write_text(
            f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:cc="http://web.resource.org/cc/" width="90" height="90"
            xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
            <metadata><cc:Work><dc:creator>{artist}</dc:creator>
            <cc:license rdf:resource="http://web.resource.org/cc/PublicDomain"/></cc:Work></metadata>
            <rect width="{10 + 8 * number}" height="90" fill="#080"/></svg>"""
        )
    folder = rebuilt.folder / "resources/clipart"
    contents = []
    for _ in range(2):
        process = rebuilt.run("rebuild_clipart")
        assert process.returncode == 0, process.stdout
        contents.append({path.name: path.read_bytes() for path in folder.rglob("*.*")})
    assert contents[0] == contents[1] and len(contents[0]) == 7 + 2
    _, rows = read_csv(folder / "provenance.csv")
    assert [row[1] for row in rows] == ["Patricia Fidi"] * 4 + ["mo"] * 3


def test_without_the_package_one_sentence_says_so(rebuilt: Workspace) -> None:
    process = rebuilt.run("rebuild_clipart")
    assert process.returncode != 0
    assert "svg: not found, expected the drawings of the Debian package openclipart-svg" in process.stdout
    assert "Traceback" not in process.stdout
