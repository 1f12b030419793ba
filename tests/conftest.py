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
    workspace = Workspace(tmp_path_factory.mktemp("finished"))
    process = workspace.run()
    assert process.returncode == 0, process.stdout
    return workspace
