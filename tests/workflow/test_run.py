"""The tiny study from end to end: what it writes is what the interface promises."""

import csv
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from studies import Workspace

from diffusion_credit.base.tables import read_subsets

pytestmark = pytest.mark.workflow
PROPERTIES = ["inception_score", "fid", "cluster_entropy"]


def frame(workspace: Workspace, *parts: str) -> pd.DataFrame:
    return pd.read_csv(workspace.results.joinpath(*parts))


@pytest.mark.parametrize("name", PROPERTIES)
def test_values_sum_to_everyone_minus_empty_of_the_sparse_regime(finished: Workspace, name: str) -> None:
    utilities = frame(finished, "utilities", f"{name}.csv")
    members = utilities.iloc[:, 3:-1]
    assert list(utilities.columns[:3]) == ["subset", "replicate", "seed"]
    assert list(members.columns) == [f"digit {i}" for i in range(5)]
    assert len(utilities) == 8 + 4
    everyone, empty = (utilities.value[members.sum(axis=1) == size].mean() for size in (5, 0))
    for estimator in ("ridge", "paper"):
        attribution = frame(finished, "attribution", name, f"{estimator}.csv")
        assert attribution.value.sum() == pytest.approx(everyone - empty, abs=1e-6)
        assert attribution.share.sum() == pytest.approx(1)
        expected = attribution.value.rank(ascending=name == "fid", method="first")
        assert attribution["rank"].tolist() == expected.tolist()
    # the anchors were made by the regime whose subsets they are compared with
    manifest = finished.manifest("models", "sparse", "anchors", "0000", "everyone-0")
    other = finished.manifest("models", "sparse", "sampled", "0000", "00000-0")
    for key in ("start", "training", "architecture"):
        assert manifest["provenance"][key] == other["provenance"][key]


def test_held_out_subsets_are_not_in_the_design(finished: Workspace) -> None:
    design = read_subsets(finished.results / "utilities/fid.csv", valued=True)
    held = read_subsets(finished.results / "utilities/fid/retrain_held_out_0.5.csv", valued=True)
    assert not {row.tobytes() for row in design.members} & {row.tobytes() for row in held.members}
    assert set(held.members.sum(axis=1)) == {2}


def test_a_design_that_meets_the_held_out_subsets_stops_the_evaluation(finished: Workspace, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path / "copy")
    held, design = (workspace.results / f"utilities/fid{name}.csv" for name in ("/retrain_held_out_0.5", ""))
    lines = design.read_text().splitlines()
    lines[1] = held.read_text().splitlines()[1]
    design.write_text("\n".join(lines) + "\n")
    process = workspace.run("results/tiny/evaluation/fid/lds.csv", "--rerun-triggers", "mtime")
    assert process.returncode != 0
    assert "1 held-out subset" in process.stdout


def test_every_model_costs_a_handful_of_files_that_people_can_open(finished: Workspace, tmp_path: Path) -> None:
    folder = finished.results / "images/sparse/sampled/0000/00000-0"
    assert {path.name for path in folder.iterdir()} == {"images.zip", "manifest.json", "seconds.json"}
    shutil.unpack_archive(folder / "images.zip", tmp_path)
    pictures = sorted(tmp_path.glob("*.png"))
    assert len(pictures) == 12
    assert Image.open(pictures[0]).size == (8, 8)
    assert {"generation", "seed", "model", "device"} <= set(
        finished.manifest(*folder.relative_to(finished.results).parts)["provenance"]
    )


def test_pruned_checkpoints_load_back_by_the_documented_line(finished: Workspace) -> None:
    models = frame(finished, "evaluation", "models.csv").set_index("images_of")
    for name in ("full", "pruned", "refit"):
        folder = finished.results / f"models/{name}/everyone/0000/everyone-0"
        line = (
            "from diffusion_credit.models.checkpoints import load_model;"
            f"model, config = load_model({str(folder)!r});"
            "print(sum(p.numel() for p in model.parameters()))"
        )
        process = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
        assert int(process.stdout) == models.parameters[name]
    assert models.parameters["pruned"] == models.parameters["refit"] < 0.5 * models.parameters["full"]


def test_evaluations_have_intervals_or_say_why_not(finished: Workspace) -> None:
    for name in PROPERTIES:
        for table, estimate in (("lds", "lds"), ("fidelity", "estimate"), ("counterfactual", "change_percent")):
            for row in csv.DictReader((finished.results / f"evaluation/{name}/{table}.csv").open()):
                if row[estimate]:
                    assert math.isfinite(float(row[estimate]))
                else:
                    assert row["note"]
            assert (finished.results / f"evaluation/{name}/{table}.png").stat().st_size > 1000
    runtime = frame(finished, "evaluation", "runtime.csv")
    assert set(zip(runtime.regime, runtime.stage, strict=True)) == {
        (regime, stage) for regime in ("sparse", "finetune", "retrain") for stage in ("training", "generation")
    }
    assert runtime.models[(runtime.regime == "retrain")].tolist() == [8 + 4 + 3 * 6] * 2


def test_the_empty_subset_is_the_untrained_pruned_network(finished: Workspace) -> None:
    from diffusion_credit.base.seeds import named_seed
    from diffusion_credit.models.checkpoints import load_model, reinitialise

    anchors = read_subsets(finished.results / "designs/anchors/0000.csv")
    row = anchors.names.index("empty-0")
    model, config = load_model(finished.results / "models/refit/everyone/0000/everyone-0")
    reinitialise(model, config["architecture"], named_seed(anchors.seed[row], "initialise"))
    found, _ = load_model(finished.results / "models/sparse/anchors/0000/empty-0")
    for a, b in zip(model.parameters(), found.parameters(), strict=True):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())


def test_a_second_run_has_nothing_to_do(finished: Workspace) -> None:
    process = finished.run()
    assert process.returncode == 0
    assert "Nothing to be done" in process.stdout


def test_the_result_is_shown_best_first(finished: Workspace) -> None:
    command = str(Path(sys.executable).parent / "diffusion-credit")
    process = subprocess.run(
        [command, "show", "study.yaml"], cwd=finished.folder, capture_output=True, text=True, check=True
    )
    shown = process.stdout.split("fid (ridge), lower is better  ")[1].splitlines()
    first = next(number for number, line in enumerate(shown) if line.split()[:1] == ["1"])
    ranked = frame(finished, "attribution", "fid", "ridge.csv").sort_values("rank").contributor
    assert [line[8:15] for line in shown[first : first + 5]] == ranked.tolist()
    assert "note: interval not estimable: 4 different pairs or single subsets, needs 10" in process.stdout
    assert "LDS at alpha 0.5: " in process.stdout
    process = subprocess.run([command, "show", "/nowhere.yaml"], capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert process.stderr.startswith("Error: /nowhere.yaml")


def test_the_status_of_a_study_from_its_files(finished: Workspace, tmp_path: Path) -> None:
    """Finished; then a batch less; then that batch as jobs leave it: done, in work, silent, wanted otherwise."""
    workspace = finished.copy(tmp_path / "copy")
    batch = workspace.results / "models/sparse/sampled/0000"

    def status() -> tuple[dict[str, str], str]:
        command = [sys.executable, "-c", "from diffusion_credit.cli import main; main()", "status", "study.yaml"]
        text = subprocess.run(command, cwd=workspace.folder, capture_output=True, text=True, check=True).stdout
        rows = re.findall(r"^(\S.*?) +\[([#>.]{30})\] +(.*?)$", text, re.MULTILINE)
        return {name: " ".join([bar, *counts.split()]) for name, bar, counts in rows}, text

    rows, _ = status()
    assert all(row.startswith("#" * 30) and "missing" not in row for row in rows.values()), rows
    sparse = 8 + 4 + 8  # sampled, anchors, held-out
    assert rows["models, sparse"] == f"{'#' * 30} {sparse} of {sparse}"
    assert rows["models, full"] == f"{'#' * 30} 1 of 1"
    retrained, finetuned, counterfactual = 8 + 4, 8, 6
    assert rows["properties, fid"].endswith(f" {1 + 3 + sparse + retrained + finetuned + counterfactual} of 50")
    assert len(list(workspace.results.glob("properties/fid/**/property.json"))) == 50
    assert len(list(workspace.results.glob("features/**/features.safetensors"))) == 50 + 2 * counterfactual

    (batch / "manifest.json").unlink()
    assert status()[0]["models, sparse"] == rows["models, sparse"]
    wanted = json.loads((batch / "wanted.json").read_text())
    names = sorted(wanted)
    for name in names[:3]:
        shutil.rmtree(batch / name)
    (batch / f".{names[0]}.another_machine.1.x").mkdir()
    log = workspace.results / "logs/models/sparse/sampled/0000.log"
    log.touch()
    rows, _ = status()
    assert rows["models, sparse"] == f"{'#' * 25}>>... {sparse - 3} of {sparse} 1 running, 2 missing"
    os.utime(log, (time.time() - 600, time.time() - 600))
    rows, text = status()
    assert rows["models, sparse"].endswith("3 missing")
    assert "models/sparse/sampled/0000: begun, but its log has been silent for 10 min" in text
    (batch / "wanted.json").write_text(json.dumps({**wanted, names[5]: "of other options"}))
    assert status()[0]["models, sparse"].endswith("4 missing")


def test_a_jobs_time_limit_follows_from_its_batch(workspace: Workspace) -> None:
    minutes = {"full": 90, "sparse": 4, "retrain": 700, "generation": 0.3}
    workspace.config["limits"] = {"start": 10, "minutes": minutes, "longest": 1440}
    plan = workspace.run("--dry-run", "--printshellcmds", "results/tiny/evaluation/runtime.csv").stdout
    jobs = re.findall(r"rule (train_models|generate_images):.*?wildcards: (\S.*?)\n.*?runtime=(\d+)", plan, re.DOTALL)
    limits = {f"{rule} {wildcards}": int(runtime) for rule, wildcards, runtime in jobs}
    assert limits["train_models regime=full, list=everyone, batch=0000"] == 10 + 90
    assert limits["train_models regime=sparse, list=sampled, batch=0000"] == 10 + 8 * 4
    assert limits["train_models regime=sparse, list=anchors, batch=0000"] == 10 + 4 * 4
    assert limits["train_models regime=retrain, list=held_out_0.5, batch=0000"] == 1440  # not 10 + 8 * 700
    assert limits["generate_images collection=sparse/sampled/0000"] == 13  # 10 + 8 * 0.3, rounded up
