"""Fixtures of every workflow test."""

from pathlib import Path

import pytest
from studies import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tiny study, run once, undisturbed. Do not change it: copy it."""
    return Workspace(tmp_path_factory.mktemp("finished")).finish()
