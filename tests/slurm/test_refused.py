"""What a user sees when Slurm refuses a job; docs/cluster.md quotes the messages."""

import pytest
from cluster import Cluster
from cluster_studies import ClusterWorkspace
from studies import ROOT

REFUSALS = {
    "memory": ({"mem_mb": 9_000_000}, "Memory specification can not be satisfied"),
    "partition": ({"slurm_partition": "grafic"}, "invalid partition specified: grafic"),
    "gpu": ({"slurm_partition": "without_gpu", "gpu": 1}, "Requested node configuration is not available"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_the_message_is_slurms_own_and_in_the_docs(
    case: str, without_batch: ClusterWorkspace, cluster: Cluster
) -> None:
    resources, message = REFUSALS[case]
    without_batch.edit(set_resources={"train_models": resources})
    process = without_batch.run("credit", "--retries", "0")
    assert process.returncode != 0
    assert message in process.stdout, process.stdout
    assert "Traceback" not in process.stdout
    assert not cluster.jobs("pending,running")
    assert message in (ROOT / "docs/cluster.md").read_text()
