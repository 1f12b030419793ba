"""Batches that are chosen by what was measured before them."""

from pathlib import Path

import numpy as np
import pytest
from studies import Workspace

from diffusion_credit.base.tables import read_subsets
from diffusion_credit.credit.next_batch import chosen
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.reserved import Reserved

pytestmark = pytest.mark.workflow
FIRST = 8  # subsets of the tiny study's only batch


def test_a_batch_is_chosen_from_what_was_measured_before(finished: Workspace, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path / "copy")
    config = workspace.config
    config["design"] |= {"kind": "active", "subsets": 3 * FIRST}
    config["estimators"] = {"process": {"kind": "gaussian-process"}}
    config["evaluation"]["counterfactual"]["estimator"] = "process"
    del config["payout"]
    config["properties"] = {"fid": config["properties"]["fid"] | {"transform": "log"}}
    process = workspace.run("results/tiny/utilities/fid.csv")
    assert process.returncode == 0, process.stdout

    batches = [read_subsets(workspace.results / f"designs/sampled/{at:04d}.csv") for at in range(3)]
    before = read_subsets(finished.results / "designs/sampled/0000.csv")
    assert np.array_equal(batches[0].members, before.members) and batches[0].seed == before.seed
    table = read_subsets(workspace.results / "utilities/fid.csv", valued=True)
    members = np.concatenate([batch.members for batch in batches])
    assert table.transform == "log"
    assert np.array_equal(table.members[: 3 * FIRST], members)
    held_out = read_subsets(finished.results / "designs/held_out_0.5/0000.csv").members
    assert not {row.tobytes() for row in members} & {row.tobytes() for row in held_out}
    for batch in batches[1:]:
        assert np.array_equal(batch.members[::2], ~batch.members[1::2])  # complementary pairs
    names = [f"{at:05d}" for at in range(3 * FIRST)]
    assert [name for batch in batches for name in batch.subset] == names
    drawn: dict[bytes, int] = {}
    for row, replicate in zip(members, [r for batch in batches for r in batch.replicate], strict=True):
        assert replicate == drawn.get(row.tobytes(), 0)
        drawn[row.tobytes()] = replicate + 1
    assert len({seed for batch in batches for seed in batch.seed}) == 3 * FIRST

    # each batch follows from what was measured before it, and from nothing else
    n = len(table.contributors)
    frame = Frame(n, config["seed"], Reserved(n, [n // 2], config["seed"]))
    ends = np.flatnonzero(table.members.all(axis=1) | ~table.members.any(axis=1))
    for at in (1, 2):
        seen = table.rows(np.append(np.arange(at * FIRST), ends))
        assert np.array_equal(chosen([seen], frame, FIRST), members[: (at + 1) * FIRST])
    again = workspace.run("results/tiny/utilities/fid.csv")
    assert "Nothing to be done" in again.stdout
