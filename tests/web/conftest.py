"""The study of contributors with hostile names, finished, and a browser to look at its report."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import study
from playwright.sync_api import Browser, sync_playwright
from studies import Workspace

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not CHROMIUM and Path(__file__).parent in item.path.parents and "browser" in item.fixturenames:
            item.add_marker(pytest.mark.skip(reason="no browser: Debian's package chromium is not installed"))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The study, run once in a folder of its own. Do not change it: copy it."""
    return study(tmp_path_factory.mktemp("hostile") / "study").finish()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()
