"""The site of README and docs: it builds without a complaint, leaves no text or picture out, and loads nothing."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from reports import FOREIGN, Loaded
from studies import ROOT

from diffusion_credit.version import VERSION

OUTSIDE = {"README.md", "config/README.md", "resources/clipart/README.md"}
TEXTS = {*OUTSIDE, *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))}

EXAMPLES = [path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.html")]  # reports, put there as they are


def build(source: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", source / "mkdocs.yml"]
    return subprocess.run(
        [*command, "--site-dir", site], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    process = build(ROOT, folder)
    assert process.returncode == 0, process.stdout
    return folder


def flat(part: Any) -> list[str]:
    parts = part.values() if isinstance(part, dict) else part
    return [part] if isinstance(part, str) else [name for each in parts for name in flat(each)]


def test_every_text_is_in_the_navigation_once(site: Path) -> None:
    nav = flat(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    assert sorted(nav) == sorted(TEXTS)
    pages = {str(path.relative_to(site)) for path in site.rglob("*.html")} - {"404.html", *map(str, EXAMPLES)}
    assert pages == {path.replace("README.md", "index.html").replace(".md", ".html") for path in TEXTS}


def test_every_picture_is_shown_by_some_page(site: Path) -> None:
    shown = {
        (page.parent / unquote(address)).resolve()
        for page in site.rglob("*.html")
        for address in Loaded(page.read_text(encoding="utf-8")).found
        if page.name not in ("404.html", *(path.name for path in EXAMPLES)) and not address.startswith("data:")
    }
    assert all(path.is_file() for path in shown)
    pictures = {
        path.name for path in (ROOT / "docs").glob("*.*") if path.suffix not in (".md", ".py", ".json", ".html")
    }
    assert {path.name for path in shown if path.parent == site / "docs"} == pictures


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = Loaded(page.read_text(encoding="utf-8"))
        assert loaded.found
        assert not loaded.foreign, page
    for sheet in site.rglob("*.css"):
        addresses = re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s]+)""", sheet.read_text(encoding="utf-8"))
        assert not [address for address in addresses if FOREIGN.match(address)], sheet


def test_a_broken_link_or_anchor_stops_the_build(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("docs", "config", "resources"):
        shutil.copytree(ROOT / name, source / name)
    for name in ("README.md", "CITATION.cff", "mkdocs.yml"):
        shutil.copy(ROOT / name, source)
    with (source / "docs/data.md").open("a") as text:
        text.write("\n[one](league.md#nowhere) [two](nothing.md) [three](../README.md#how-it-works)\n")
    process = build(source, tmp_path / "site")
    assert process.returncode != 0
    complaints = [line for line in process.stdout.splitlines() if line.startswith("WARNING")]
    assert len(complaints) == 2, process.stdout
    assert "#nowhere" in process.stdout
    assert "nothing.md" in process.stdout


def test_the_citation_is_of_this_version() -> None:
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == VERSION
