"""Fixtures of every workflow test."""

from pathlib import Path

import pytest
from studies import Workspace


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The cluster's tests wait much of the time; beside them one worker runs Snakemake's, then both the others."""
    for item in items:
        if (folder := item.path.parent.name) in ("slurm", "workflow"):
            item.add_marker(pytest.mark.xdist_group(folder))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tiny study, run once, undisturbed. Do not change it: copy it."""
    return Workspace(tmp_path_factory.mktemp("finished")).finish()
