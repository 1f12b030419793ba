"""Fixtures of every workflow test."""

from pathlib import Path
from typing import Any

import pytest
from studies import Workspace


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The cluster's tests wait much of the time; beside them one worker runs Snakemake's, and one the others.

    Marks of a group do the same, but pytest-xdist 3.8 does not see them under pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class OneWorkerAFolder(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = Path(nodeid.split("::")[0])
            if file.name == "test_studies.py":
                return nodeid.partition("[")[2]  # a study's plan and run: scopes of two tests, which start before one
            if file.name in ("test_budget.py", "test_single_images.py"):
                return file.name  # their studies are their own
            return file.parent.name if file.parent.name in ("slurm", "web", "workflow") else nodeid

    return OneWorkerAFolder(config, log)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tiny study with a payout, run once, undisturbed. Do not change it: copy it."""
    workspace = Workspace(tmp_path_factory.mktemp("finished"))
    workspace.config["payout"] = {
        "amount": 1000,
        "currency": "EUR",
        "property": "fid",
        "estimator": "ridge",
        "negative": "clip",
    }
    return workspace.finish()
