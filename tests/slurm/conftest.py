"""A private cluster for the session, and studies that run on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Cluster, missing_programs, running_cluster
from cluster_studies import ClusterWorkspace, without_its_batch


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = missing_programs()
    skip = pytest.mark.skip(reason=f"Slurm is not installed ({', '.join(missing)} not found): see make slurm-test")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slurm)
            if missing:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def private() -> Iterator[Cluster]:
    with running_cluster(accounting=True) as cluster:
        yield cluster


@pytest.fixture
def cluster(private: Cluster) -> Iterator[Cluster]:
    """The cluster, empty and whole before and after each test."""
    private.clear()
    yield private
    private.clear()


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> ClusterWorkspace:
    """The study, run once without the cluster. Do not change it: copy it."""
    return ClusterWorkspace(tmp_path_factory.mktemp("local")).finish()


@pytest.fixture
def without_batch(local: ClusterWorkspace, tmp_path: Path, cluster: Cluster) -> ClusterWorkspace:
    return without_its_batch(cluster, local, tmp_path / "study")
