"""A target on the standard error: the study stops by itself, and a tighter target reuses all that is there."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from games import shapley
from studies import Workspace

from diffusion_credit.base.tables import read_subsets
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.credit.estimators import ridge
from diffusion_credit.credit.utilities import split

pytestmark = pytest.mark.workflow


def study(workspace: Workspace, error: float, maximum: int) -> Workspace:
    workspace.config["properties"] = {"fid": workspace.config["properties"]["fid"]}
    workspace.config["design"]["target"] = {
        "standard_error": {"fid": error}, "estimator": "ridge", "maximum": maximum
    }  # fmt: skip
    return workspace


def batches(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in (workspace.results / "models/sparse/sampled").iterdir())


def test_a_target_stops_the_study_and_a_tighter_one_goes_on(workspace: Workspace, tmp_path: Path) -> None:
    process = study(workspace, 1e9, 40).run("credit")
    assert process.returncode == 0, process.stdout
    # 8 subsets are 4 pairs, too few for 5 contributors; 20 subsets do, which takes 3 batches
    first, second = (json.loads((workspace.results / f"budget/000{i}.json").read_text()) for i in (1, 3))
    assert "needs 10" in first["reasons"]["fid"]
    assert (first["next_batches"], second["next_batches"]) == (3, None)
    assert second["reasons"]["fid"].endswith("met")
    assert batches(workspace) == ["0000", "0001", "0002"]
    assert "Nothing to be done" in workspace.run("credit").stdout

    game = split(read_subsets(workspace.results / "utilities/fid.csv", valued=True))
    interval = ridge.estimate(game, {}).interval
    assert interval is not None
    error = interval.standard_error.max()
    assert second["largest_standard_error"]["fid"] == pytest.approx(error)
    # half of the sampling variance wants twice the subsets, more than the maximum
    tighter = float(np.sqrt((error**2 + interval.level) / 2))
    kept = {path: path.stat().st_mtime_ns for path in workspace.results.rglob("images.zip")}
    process = study(workspace, tighter, 40).run("credit", "--printshellcmds")
    assert process.returncode == 0, process.stdout
    assert batches(workspace) == ["0000", "0001", "0002", "0003", "0004"]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    jobs = [line for line in process.stdout.splitlines() if line.startswith(("rule ", "localrule ", "checkpoint "))]
    counts = {name: sum(name in line for line in jobs) for name in ("train_models", "generate_images", "make_index")}
    assert counts == {"train_models": 2, "generate_images": 2, "make_index": 0}
    last = json.loads((workspace.results / "budget/0005.json").read_text())
    assert (last["subsets"], last["next_batches"]) == (40, None)

    # the same bytes as a study that planned 40 subsets from the start, which are these very models
    planned = workspace.copy(tmp_path / "planned")
    del planned.config["design"]["target"]
    planned.config["design"]["subsets"] = 40
    for stage in ("budget", "utilities", "attribution"):
        shutil.rmtree(planned.results / stage)
    assert "train_models" not in planned.planned("credit")
    assert planned.run("credit").returncode == 0
    for file in ("utilities/fid.csv", "attribution/fid/ridge.csv", "attribution/fid/paper.csv"):
        assert (planned.results / file).read_bytes() == (workspace.results / file).read_bytes()


def test_a_target_without_its_numbers_is_one_sentence(workspace: Workspace) -> None:
    for change, complaint in (
        ({"maximum": 12}, "design.target.maximum: found 12, expected a multiple of batch_size = 8"),
        ({"standard_error": {"best": 1.0}}, "design.target.standard_error: found best, expected one of ['fid']"),
        ({"estimator": "exact"}, "design.target.estimator: found 'exact', expected one of"),
        ({"standard_error": {"fid": 0}}, "design.target.standard_error.fid: found 0, expected greater than 0"),
    ):
        study(workspace, 1.0, 16).config["design"]["target"].update(change)
        process = workspace.run("--dry-run")
        assert process.returncode != 0
        assert "Traceback" not in process.stdout
        assert complaint in process.stdout


def test_few_contributors_are_credited_by_all_their_subsets(workspace: Workspace) -> None:
    """No held-out subsets, no estimation: the definition on every utility that was measured."""
    workspace.config["data"]["contributors"] = [0, 1, 2]
    workspace.config["design"].update(kind="all", subsets=6, batch_size=6)
    workspace.config["properties"] = {"fid": workspace.config["properties"]["fid"]}
    workspace.config["estimators"] = {"exact": {"kind": "exact"}, "leave_one_out": {"kind": "leave-one-out"}}
    workspace.config["evaluation"]["counterfactual"]["estimator"] = "exact"
    del workspace.config["evaluation"]["lds"]
    process = workspace.run()
    assert process.returncode == 0, process.stdout
    table = read_subsets(workspace.results / "utilities/fid.csv", valued=True)
    assert table.value is not None
    bits = table.members @ (1 << np.arange(3))
    values = np.array([table.value[bits == i].mean() for i in range(8)])
    assert read_attribution(workspace.results / "attribution/fid/exact.csv").value == pytest.approx(shapley(values))
    found = read_attribution(workspace.results / "attribution/fid/leave_one_out.csv").value
    assert found == pytest.approx(values[7] - values[[6, 5, 3]])
    assert {path.name for path in (workspace.results / "evaluation/fid").iterdir()} == {
        "counterfactual.csv", "counterfactual.png", "budget.csv", "budget.png", "noise.csv"
    }  # fmt: skip
    assert workspace.planned() == {}
