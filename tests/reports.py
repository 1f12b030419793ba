"""What `snakemake --report` makes of a finished study, read back from its page."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from studies import Workspace

LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "object": "data", "source": "src"}
FOREIGN = re.compile(r"(?:https?:)?//", re.IGNORECASE)


def plain(text: str) -> str:
    """HTML as one line of text."""
    return " ".join(html.unescape(re.sub("<[^>]*>", "", text)).split())


class Loaded(HTMLParser):
    """What a browser loads for a page, without being asked to: addresses in `found`, text of style sheets in `css`."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.css = ""
        self.inside = ""
        self.feed(page)
        self.found += re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s]+)""", self.css)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.inside = tag
        self.found += [value for key, value in attributes if key == LOADING.get(tag) and value]
        self.css += values.get("style") or ""

    def handle_data(self, data: str) -> None:
        if self.inside == "style":
            self.css += data

    @property
    def foreign(self) -> list[str]:
        return [address for address in self.found if FOREIGN.match(address)]


class Report:
    """A report: results by path, each with the category and subcategory that it is found under, and its page."""

    def __init__(self, workspace: Workspace, folder: Path, *targets: str) -> None:
        path = folder / "report.html"
        process = workspace.run(*targets, "--report", str(path))
        assert process.returncode == 0, process.stdout
        self.page = path.read_text(encoding="utf-8")
        self.about = self._data("workflow-desc")
        self.results = {path: dict(result) for path, result in self._data("results").items()}
        for category, within in self._data("categories").items():
            for subcategory, paths in within.items():
                for each in paths:
                    self.results[each].update(category=category, subcategory=subcategory)

    def caption(self, path: str) -> str:
        return plain(self.results[path]["caption"])

    def _data(self, name: str) -> Any:
        (text,) = re.findall(rf'<script id="{name}">\s*var \w+ = (.*?);\s*</script>', self.page, re.DOTALL)
        return json.loads(text)
