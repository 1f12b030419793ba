"""A private cluster for the session, and studies that run on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Cluster, missing_programs, running_cluster
from cluster_studies import ClusterWorkspace, on


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
    """The finished study on the cluster, but for its only batch of sampled subsets and what is made from it.

    Training is slow: two seconds a subset, so that there is time to disturb it.
    """
    workspace = on(cluster, local.copy(tmp_path / "study"))
    for path in [*workspace.results.rglob("sparse/sampled"), workspace.results / "attribution"]:
        shutil.rmtree(path)
    (workspace.results / "utilities/inception_score.csv").unlink()
    workspace.step_seconds = 0.06
    return workspace
