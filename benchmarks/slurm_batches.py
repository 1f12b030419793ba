"""Subsets as single Slurm jobs against batches: wall time, submissions, and overhead (job time that trains nothing).

    python benchmarks/slurm_batches.py [SUBSETS] [BATCH]      default: 48 subsets in batches of 8

On a private cluster of two nodes on this machine (see tests/slurm), one after the other, each from the same finished
re-fitted model. Needs Slurm's programs, which the README names.
"""

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/slurm")]

from cluster import Cluster, running_cluster  # noqa: E402
from cluster_studies import ClusterWorkspace, on  # noqa: E402


def targets(subsets: int, batch: int) -> list[str]:
    return [f"results/tiny/models/sparse/sampled/{n:04d}/manifest.json" for n in range(subsets // batch)]


def measure(cluster: Cluster, prepared: ClusterWorkspace, folder: Path, subsets: int, batch: int) -> dict[str, float]:
    """Train all subsets in jobs of `batch` and read Slurm's accounting."""
    workspace = prepared.copy(folder / f"batches_of_{batch}")
    workspace.config["design"].update(subsets=subsets, batch_size=batch)
    on(cluster, workspace)
    started = time.monotonic()
    process = workspace.run(*targets(subsets, batch))
    wall = time.monotonic() - started
    assert process.returncode == 0, process.stdout
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() - wall))
    elapsed = [int(line) for line in cluster.command("sacct", "-nXP", "-S", since, "-o", "ElapsedRaw").splitlines()]
    times = (workspace.results / "models/sparse/sampled").rglob("seconds.json")
    return {"jobs": len(elapsed), "wall": wall, "overhead": sum(elapsed) - sum(float(t.read_text()) for t in times)}


def main(subsets: int = 48, batch: int = 8) -> None:
    with tempfile.TemporaryDirectory() as folder, running_cluster(accounting=True) as cluster:
        prepared = ClusterWorkspace(Path(folder) / "prepared")
        refit = prepared.run("results/tiny/models/refit/everyone/0000/manifest.json")
        assert refit.returncode == 0, refit.stdout
        found = {size: measure(cluster, prepared, Path(folder), subsets, size) for size in (1, batch)}
    for size, row in found.items():
        print(f"batches of {size}: " + ", ".join(f"{key} {value:.0f}" for key, value in row.items()))
    print("ratio: " + ", ".join(f"{key} {found[1][key] / found[batch][key]:.2f}" for key in found[1]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
