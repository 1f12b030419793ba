"""The report in a browser: names are text, nothing is fetched, it reads on a phone, on paper and by a screen reader."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from hostile import NAMES
from jsonschema import Draft202012Validator
from playwright.sync_api import Browser, Page
from pypdf import PdfReader
from studies import ROOT, Workspace

from diffusion_credit.base.names import printable
from diffusion_credit.evaluation.removal import LEFT_OUT
from diffusion_credit.report.document import schema

pytestmark = pytest.mark.workflow
PHONE, TABLET, DESKTOP = ({"width": width, "height": 900} for width in (390, 800, 1280))
PLAIN = sorted(NAMES)
ALIKE = {"Ana", "ana", *(name for name in NAMES if name.startswith("Jos"))}  # told apart by their numbers
SHOWN = {
    " ".join(printable(name).split()) + (f" (no. {number})" if name in ALIKE else "")
    for number, name in enumerate(PLAIN, start=1)
}
VIEWS = [(size, scheme) for size in (PHONE, TABLET, DESKTOP) for scheme in ("light", "dark")]


def opened(browser: Browser, study: Workspace, size: Any, scheme: Any) -> tuple[Page, list[str]]:
    """The page, and everything that it complained of or asked the network for."""
    page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
    found: list[str] = []
    address = (study.results / "report.html").as_uri()
    page.on("console", lambda message: found.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (found.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: found.append(f"request: {request.url}"))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    own = (f"request: {address}", "request: data:")
    return page, [line for line in found if not line.startswith(own)]


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: f"{view[0]['width']}-{view[1]}")
def view(request: pytest.FixtureRequest, browser: Browser, hostile: Workspace) -> Iterator[tuple[Page, list[str]]]:
    page, found = opened(browser, hostile, *request.param)
    yield page, found
    page.context.close()


def test_nothing_is_fetched_run_or_complained_of(view: tuple[Page, list[str]]) -> None:
    page, found = view
    assert found == []
    assert page.locator("script, iframe, object, embed, link").count() == 0
    addresses = page.eval_on_selector_all("[src], [href]", "all => all.map(e => e.src || e.href.baseVal || e.href)")
    assert addresses
    for address in addresses:
        assert address.startswith(("data:image/", "#", page.url.split("#")[0])), address


def test_no_text_is_cut_off_at_any_width(view: tuple[Page, list[str]]) -> None:
    """What is wider than the screen scrolls by itself; the page does not."""
    page, _ = view
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_axe_finds_nothing_serious(view: tuple[Page, list[str]]) -> None:
    page, _ = view
    page.eval_on_selector_all("details", "all => all.forEach(e => e.open = true)")
    found = Axe().run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")] == []


def test_every_picture_and_figure_has_a_text(view: tuple[Page, list[str]]) -> None:
    page, _ = view
    pictures = page.eval_on_selector_all("img", "all => all.map(e => [e.alt, e.naturalWidth])")
    assert len(pictures) > len(NAMES)
    assert all(alt.strip() and width for alt, width in pictures)
    drawn = page.locator("svg")
    assert drawn.count() == page.locator("[role=img][aria-label]:not([aria-label='']) svg").count() > 4


def test_names_are_text(view: tuple[Page, list[str]]) -> None:
    page, _ = view
    rows = page.eval_on_selector_all("#payout tbody th", "all => all.map(e => e.textContent)")
    assert {" ".join(row.split()) for row in rows} == SHOWN
    titles = page.eval_on_selector_all("article h3", "all => all.map(e => e.textContent)")
    assert {" ".join(title.split()) for title in titles} == SHOWN
    assert len(titles) == len(NAMES)
    bars = page.eval_on_selector_all("#shares svg text", "all => all.map(e => e.textContent)")
    assert {"<script>alert(1)</script>", "../../etc", *(name for name in SHOWN if "Ana" in name)} <= set(bars)


def test_uncommon_letters_are_of_the_pages_own_fonts(browser: Browser, hostile: Workspace) -> None:
    """Whatever the reader's machine has: Chinese in a table and in a figure, which the browser says itself."""
    page, _ = opened(browser, hostile, DESKTOP, "light")
    devtools = page.context.new_cdp_session(page)
    devtools.send("DOM.enable")
    devtools.send("CSS.enable")
    root = devtools.send("DOM.getDocument")["root"]["nodeId"]
    for place in ("#payout tbody th", "#shares svg text"):
        found: dict[str, bool] = {}
        for node in devtools.send("DOM.querySelectorAll", {"nodeId": root, "selector": place})["nodeIds"]:
            if "李娜" in devtools.send("DOM.getOuterHTML", {"nodeId": node})["outerHTML"]:
                used = devtools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
                found |= {font["familyName"]: font["isCustomFont"] for font in used}
        assert found.get("Noto Sans CJK JP"), found
    page.context.close()


def test_everybodys_section_says_their_payout(view: tuple[Page, list[str]], hostile: Workspace) -> None:
    page, _ = view
    document = json.loads((hostile.results / "credit.json").read_text(encoding="utf-8"))
    for payment in document["payout"]["payments"]:
        said = page.locator(f"#contributor-{payment['number']} p", has_text="Payout:").text_content()
        assert said is not None and said.startswith(f"Payout: {payment['amount']} ")


def test_what_is_wider_than_its_place_scrolls_and_shows_that(view: tuple[Page, list[str]]) -> None:
    """Nothing is clipped: each table and figure is as wide as its place, or scrolls with a shadow at its edge."""
    page, _ = view
    page.eval_on_selector_all("details", "all => all.forEach(e => e.open = true)")
    found = page.eval_on_selector_all(
        "table, figure svg",
        "all => all.map(e => [e.closest('.wide'), e]).map(([w, e]) => [w != null && getComputedStyle(w).overflowX,"
        " w != null && getComputedStyle(w).backgroundImage.includes('gradient'),"
        " w != null && w.getBoundingClientRect().right <= window.innerWidth])",
    )
    assert len(found) > 20
    assert {tuple(each) for each in found} == {("auto", True, True)}


def test_by_keyboard_the_text_and_the_tables_are_reached(browser: Browser, hostile: Workspace) -> None:
    page, _ = opened(browser, hostile, DESKTOP, "light")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
    page.context.close()


def test_on_paper_every_section_is_there(browser: Browser, hostile: Workspace) -> None:
    page, _ = opened(browser, hostile, DESKTOP, "dark")
    printed = PdfReader(io.BytesIO(page.pdf(format="A4")))
    text = " ".join(" ".join(leaf.extract_text() for leaf in printed.pages).split())
    for title in page.eval_on_selector_all("h1, h2", "all => all.map(e => e.textContent)"):
        assert title in text, title
    assert "torch-pruning" in text  # what is folded on a screen: digests, versions
    page.context.close()


def test_everybody_reads_what_is_expected_without_them(browser: Browser, hostile: Workspace) -> None:
    """The last cell of each row of a contributor's panel, against removal.csv; that table has the names as they are."""
    page, _ = opened(browser, hostile, DESKTOP, "light")
    document = json.loads((hostile.results / "credit.json").read_text(encoding="utf-8"))
    for row, name in enumerate(document["properties"]):
        with (hostile.results / f"evaluation/{name}/removal.csv").open(encoding="utf-8", newline="") as stream:
            found = list(csv.DictReader(stream))
        assert [each["without"] for each in found] == [*PLAIN, *LEFT_OUT.values()]
        for number, each in enumerate(found[:3], start=1):
            cell = page.locator(f"#contributor-{number} tbody tr").nth(row).locator("td").last.text_content()
            expected, low, high = (f"{float(each[key]):.4g}".replace("-", "−") for key in ("expected", "low", "high"))
            assert cell == f"{expected} [{low}, {high}]"
    page.context.close()


def test_tables_and_documents_hold_the_names_as_they_are(hostile: Workspace) -> None:
    """Also pairs that differ by case or by Unicode's normal form alone: twelve contributors, each with a share."""
    credit = json.loads((hostile.results / "credit.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in credit["contributors"]] == PLAIN
    for table in ("payout.csv", "attribution/fid/ridge.csv"):
        with (hostile.results / table).open(encoding="utf-8", newline="") as stream:
            assert [row["contributor"] for row in csv.DictReader(stream)] == PLAIN
    assert all(each["images"] == 4 for each in credit["contributors"])
    payments = [each["amount"] for each in credit["payout"]["payments"]]
    assert sum(int(amount.replace(".", "")) for amount in payments) == 100001
    card = (hostile.results / "card.md").read_text(encoding="utf-8")
    assert "<" not in card.replace("&lt;", "")
    assert len([line for line in card.splitlines() if "José" in line or "Jose\u0301" in line]) == 2 * 3


def test_nothing_is_written_outside_the_results(hostile: Workspace) -> None:
    given = {"Snakefile", "rules", "workflow", "envs", "profiles", "study.yaml", "images", "names.csv"}
    assert {path.name for path in hostile.folder.iterdir()} == given | {"results", ".snakemake", ".cache"}
    assert {path.name for path in hostile.folder.parent.iterdir()} == {"study"}
    assert {path.name for path in (hostile.folder / "results").iterdir()} == {"tiny"}
    assert len(list((hostile.folder / "images").iterdir())) == 4 * len(NAMES)


def test_the_document_keeps_to_its_published_schema(hostile: Workspace) -> None:
    published = json.loads((ROOT / "docs/credit.schema.json").read_text(encoding="utf-8"))
    assert published == schema()
    document = json.loads((hostile.results / "credit.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(published)
    Draft202012Validator(published).validate(document)
    assert set(document["properties"]) == {"inception_score", "fid"}


def test_the_report_needs_no_torch_and_is_the_same_when_made_again(hostile: Workspace, tmp_path: Path) -> None:
    workspace = hostile.copy(tmp_path / "copy")
    names = ("report.html", "credit.json", "card.md")
    before = {name: (workspace.results / name).read_bytes() for name in names}
    for name in ("torch", "diffusers"):  # found before the real ones
        (workspace.folder / "workflow/scripts" / f"{name}.py").write_text("raise ImportError('not for a report')\n")
    process = workspace.run("--forcerun", "write_report", "--rerun-triggers", "mtime")
    assert process.returncode == 0, process.stdout
    assert {name: (workspace.results / name).read_bytes() for name in names} == before
