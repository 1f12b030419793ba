"""Pretrained weights, scores of images, and the user's own property in a whole study."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pretrained import write_aesthetic_head, write_clip
from studies import ROOT, Workspace

from diffusion_credit.data.images import open_pixels, read_zip

pytestmark = pytest.mark.workflow

OWN = re.search(r"```python\n(.*?)```", (ROOT / "docs/properties.md").read_text(), re.DOTALL)[1]  # type: ignore[index]
TABLES = [f"results/tiny/{table}.csv" for table in ("utilities/aesthetic", "utilities/brightness", "evaluation/models")]
MEASURED = 6  # sampled, anchors, data, full, pruned, re-fitted


def test_own_property_and_pretrained_weights(finished: Workspace, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path / "copy")
    write_clip(workspace.folder / "clip")
    named = {"sa_0_4_vit_l_14_linear.pth": write_aesthetic_head(workspace.folder / "head")}
    (workspace.folder / "brightness.py").write_text(OWN)
    workspace.config["weights"] = {"clip": {"folder": "clip"}, "head": {"folder": "head", "sha256": named}}
    workspace.config["extractors"]["clip"] = {"kind": "clip", "weights": "clip", "aesthetic_head": "head"}
    workspace.config["properties"] = {
        "aesthetic": {"kind": "percentile", "extractor": "clip", "of": "aesthetic", "percent": 90},
        "brightness": {"kind": "own", "file": "brightness.py"},
    }
    del workspace.config["payout"]  # it divides by one of the properties that were replaced
    process = workspace.run(*TABLES)
    assert process.returncode == 0, process.stdout

    models = pd.read_csv(workspace.results / "evaluation/models.csv", index_col="images_of")
    images = {"data": open_pixels(workspace.results / "index/pixels.npy")}
    for name in ("full", "refit"):
        images[name] = read_zip(workspace.results / f"images/{name}/everyone/0000/everyone-0/images.zip")
    for name, pixels in images.items():
        assert models["brightness"][name] == pytest.approx(np.mean(pixels / 255), rel=1e-9)
    assert models["aesthetic"].nunique() == len(models) and np.isfinite(models["aesthetic"]).all()
    assert np.array_equal(
        images["data"], read_zip(workspace.results / "images/data/everyone/0000/everyone-0/images.zip")
    )

    # a folder that moves is looked at again, and no entry is made again
    entries = list(workspace.results.rglob("everyone-0/manifest.json"))
    made = {path: path.stat().st_mtime_ns for path in entries}
    (workspace.folder / "clip").rename(workspace.folder / "elsewhere")
    workspace.config["weights"]["clip"]["folder"] = "elsewhere"
    process = workspace.run(*TABLES, "--printshellcmds")
    assert process.returncode == 0, process.stdout
    assert "rule fetch_weights:" in process.stdout
    assert {path: path.stat().st_mtime_ns for path in entries} == made

    # an edit of one's own file measures again, and nothing else
    (workspace.folder / "brightness.py").write_text(OWN.replace("np.mean", "-np.mean"))
    plan = workspace.run(*TABLES, "--dry-run", "--quiet", "reason").stdout
    assert dict(re.findall(r"^(\w+) +(\d+)$", plan, re.MULTILINE)) == {
        "collect_utilities": "1",
        "measure_property": str(MEASURED),
        "summarise_models": "1",
        "total": str(MEASURED + 2),
    }

    # a changed or truncated file is another input, and refused where it is damaged
    file = workspace.folder / "elsewhere/model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    (workspace.folder / "brightness.py").write_text(OWN + "raise OSError('no')\n")
    process = workspace.run(*TABLES, "--keep-going")
    assert process.returncode != 0 and "Traceback" not in process.stdout
    assert "elsewhere: found no CLIPModel that can be loaded" in process.stdout
    assert f"brightness.py, line {len(OWN.splitlines()) + 1}: OSError: no" in process.stdout


def test_the_training_data_is_a_collection_of_images_like_a_models(finished: Workspace) -> None:
    folder = finished.results / "images/data/everyone/0000/everyone-0"
    pixels = open_pixels(finished.results / "index/pixels.npy")
    assert np.array_equal(read_zip(folder / "images.zip"), pixels)
