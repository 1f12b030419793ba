"""The tiny study through the profile, from raw data to the last figure."""

from pathlib import Path

from cluster import Cluster
from cluster_studies import ClusterWorkspace, on


def test_the_study_completes_with_the_bytes_of_the_local_run(
    cluster: Cluster, local: ClusterWorkspace, tmp_path: Path
) -> None:
    workspace = on(cluster, ClusterWorkspace(tmp_path / "study"))
    workspace.edit(default_resources={"slurm_account": "lab"})
    # as `device: cuda` would ask for, on a machine that has none
    workspace.edit(set_resources={rule: {"gpu": 1} for rule in ("train_models", "generate_images")})
    process = workspace.run()
    assert process.returncode == 0, process.stdout
    assert workspace.csvs() == local.csvs()
    logs = {path: path.read_text() for path in (workspace.results / "logs").rglob("*.log")}
    with_gpu = {path.relative_to(workspace.results / "logs").parts[0] for path, text in logs.items() if "GPU 0" in text}
    assert with_gpu == {"models", "images"}
    accounts = cluster.command("sacct", "-nXP", "-S", "today", "-o", "Account,State").split()
    assert accounts.count("lab|COMPLETED") > 30, accounts
