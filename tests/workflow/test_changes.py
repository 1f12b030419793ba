"""Contributors leave and join: which models are trained again, and that the tables are those of a study begun anew."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from studies import Workspace

from diffusion_credit.base.tables import read_subsets

pytestmark = pytest.mark.workflow

NAMES = ["Ana", "Bo", "Cem", "Dora", "Eva", "Finn", "Gil", "Hans"]
HELD_OUT = "held_out_0.5"


def draw(folder: Path, name: str, digit: int) -> None:
    """A contributor's folder, of a digit."""
    digits = load_digits()
    (folder / name).mkdir(parents=True)
    for i, image in enumerate(digits.images[digits.target == digit][:12]):
        Image.fromarray(np.rint(image * 255 / 16).astype(np.uint8)).save(folder / name / f"{i:02d}.png")


def begin(folder: Path) -> Workspace:
    """A small study of folders: twelve retrained rows, in batches of eight, judge one property."""
    workspace = Workspace(folder)
    workspace.config["data"] = {"source": "image_folder", "path": "images", "size": 8, "mode": "L"}
    workspace.config["training"]["steps"] = 20
    workspace.config["regimes"]["sparse"]["steps"] = 4
    workspace.config["properties"] = {"fid": {"kind": "fid", "extractor": "classifier"}}
    workspace.config["estimators"] = {"ridge": {"kind": "ridge"}}
    workspace.config["evaluation"]["lds"] = {"alphas": [0.5], "subsets": 6, "replicates": 2, "regimes": []}
    return workspace


def retrained(workspace: Workspace) -> dict[str, tuple[frozenset[str], int]]:
    """Entry of the held-out rows and of the anchors -> who is in it, and when it was made."""
    found = {}
    for name in (HELD_OUT, "anchors"):
        for table in sorted((workspace.results / "designs" / name).glob("*.csv")):
            rows = read_subsets(table)
            for row, members in zip(rows.names, rows.members, strict=True):
                entry = workspace.results / "models/retrain" / name / table.stem / row
                made = (entry / "manifest.json").stat().st_mtime_ns
                found[f"{name}/{row}"] = frozenset(np.array(rows.contributors)[members].tolist()), made
    assert len(found) == 12 + 4
    return found


def clean(workspace: Workspace, name: str) -> None:
    """Remove what came from a contributor, as a user does."""
    command = [str(Path(sys.executable).with_name("diffusion-credit")), "clean", "study.yaml"]
    subprocess.run([*command, "--contributor", name, "--yes"], cwd=workspace.folder, check=True)


def run(workspace: Workspace, before: dict[str, tuple[frozenset[str], int]]) -> tuple[set[str], set[str], set[str]]:
    """Run it: the rows whose models stayed, those that have the same members as before, and all."""
    jobs = workspace.planned()
    # held-out, anchors and the counterfactual; sampled, anchors of the regime sparse; full and re-fitted
    assert (jobs["train_models"], jobs["prune_model"]) == (2 + 1 + 1 + 1 + 1 + 2, 1)
    workspace.finish()
    after = retrained(workspace)
    stayed = {name for name, (_, made) in after.items() if made == before[name][1]}
    same = {name for name, (members, _) in after.items() if members == before[name][0]}
    return stayed, same, set(after)


def test_only_models_of_somebody_who_left_or_joined_are_trained_again(tmp_path: Path) -> None:
    workspace = begin(tmp_path / "study")
    for digit, name in enumerate(NAMES):
        draw(workspace.folder / "images", name, digit)
    workspace.finish()

    before = retrained(workspace)
    shutil.rmtree(workspace.folder / "images/Dora")
    assert "Dora left. All models run again" in (said := workspace.run("--dry-run").stdout)
    assert 'changes.md): [{"left": ["Dora"]}]' in said
    workspace.config["changes"] = [{"left": ["Dora"]}]
    assert "Dora left" not in workspace.run("--dry-run").stdout
    clean(workspace, "Dora")
    assert not [file for file in workspace.results.rglob("*") if file.is_file() and b"Dora" in file.read_bytes()]
    workspace.config["changes"] = [{"left": ["dora"]}]
    assert "`changes` does not lead from those who took part before" in workspace.run("--dry-run").stdout
    workspace.config["changes"] = [{"left": ["Dora"]}]
    assert "does not lead from" not in workspace.run("--dry-run").stdout
    stayed, same, every = run(workspace, before)
    nobody = {"anchors/empty-0", "anchors/empty-1"}
    assert stayed == same > nobody and len(stayed - nobody) in range(4, 10) and len(every - stayed) > 2

    draw(workspace.folder / "images", "Zoe", 9)
    workspace.config["changes"] += [{"joined": ["Zoe"]}]
    stayed, same, _ = run(workspace, retrained(workspace))
    assert stayed == same > nobody
    everyone = retrained(workspace)["anchors/everyone-0"][0]
    assert everyone == {*NAMES, "Zoe"} - {"Dora"}

    # nothing is left of the way there: the same study from the beginning
    again = begin(tmp_path / "again")
    again.config = workspace.config
    shutil.copytree(workspace.folder / "images", again.folder / "images")
    assert again.finish().csvs() == workspace.csvs()
