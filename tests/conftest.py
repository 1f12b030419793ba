"""Fixtures of every workflow test."""

import os
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from studies import Workspace
from tiny import write_raw, write_tiny


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests that share a fixture stay on one worker: the cluster's, the browser's, those of one workflow file.

    Marks of a group do the same, but pytest-xdist 3.8 does not see them under pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class OneWorkerAFixture(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = Path(nodeid.split("::")[0])
            if file.name == "test_studies.py":
                return nodeid.partition("[")[2]  # a study's plan and run: scopes of two tests, which start before one
            if file.parent.name in ("slurm", "web"):
                return file.parent.name
            return file.name if file.parent.name == "workflow" else nodeid

    return OneWorkerAFixture(config, log)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `tiny`, which the shipped studies read at `scale=tiny`."""
    folder = tmp_path_factory.mktemp("files") / "tiny"
    write_tiny(folder)
    return folder


@pytest.fixture(scope="session")
def raw_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `data` that the plans of the shipped studies accept."""
    folder = tmp_path_factory.mktemp("raw") / "data"
    write_raw(folder)
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tiny study with a payout, run once, undisturbed. Do not change it: copy it.

    The first worker that asks for it runs it, the others wait; each has a copy of its own.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # of the folders of the workers
    with FileLock(shared / "finished.lock"):
        found = Workspace(shared / "finished")
        found.config["payout"] = {
            "amount": 1000,
            "currency": "EUR",
            "property": "fid",
            "estimator": "ridge",
            "negative": "clip",
        }
        if not found.printed:
            found.finish()
    return found.copy(tmp_path_factory.mktemp("finished") / "copy")
