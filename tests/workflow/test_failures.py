"""Mistakes and accidents: one clear sentence, a non-zero exit, nothing half-written, other branches go on."""

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from studies import Workspace

pytestmark = pytest.mark.workflow


def assert_one_sentence(output: str, complaint: str) -> None:
    assert "Traceback" not in output, output
    lines = [line for line in output.splitlines() if complaint in line]
    assert len(lines) == 1, output


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ({"steps": "1e-4"}, "config: training.steps: found '1e-4', expected a valid integer"),
        ({"colour": 1}, "config: training.colour: found an unknown key"),
    ],
)
def test_a_malformed_config_ends_the_workflow_with_its_sentence(
    workspace: Workspace, section: dict[str, Any], complaint: str
) -> None:
    workspace.config["training"].update(section)
    process = workspace.run("--dry-run")
    assert process.returncode != 0
    assert_one_sentence(process.stdout, complaint)


def pictures(folder: Path, images: int = 5) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(len(folder.name))
    for i in range(images):
        Image.fromarray(rng.integers(0, 256, (10, 10, 3), dtype=np.uint8)).save(folder / f"{i}.png")


def truncate(root: Path) -> None:
    file = root / "ann/0.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 90), dtype=np.uint8)).save(file)
    file.write_bytes(file.read_bytes()[:2000])


FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (shutil.rmtree, "data.path: raw is not a folder"),
    "no contributor": (lambda root: [shutil.rmtree(path) for path in root.iterdir()], "found no folder in raw, expected a folder for each of two contributors"),
    "one contributor": (lambda root: [shutil.rmtree(root / name) for name in ("bob", "cy", "dan", "eva")], "found one folder, ann, in raw, expected a folder for each of two contributors or more"),
    "empty contributor": (lambda root: (root / "dora").mkdir(), "raw/dora: found no image"),
    "truncated image": (truncate, "raw/ann/0.png: not a readable image"),
    "text named png": (lambda root: (root / "bob/0.png").write_text("x"), "raw/bob/0.png: not a readable image"),
    "held-out subsets impossible": (lambda root: [shutil.rmtree(root / name) for name in ("dan", "eva")], "evaluation.lds.subsets: found 4, expected at most 1, half of the subsets of 1 of 3"),
    "name that is not UTF-8": (lambda root: os.mkdir(os.fsencode(root) + b"/\xfe"), "found a name that is not UTF-8"),
    "an image that cannot be read": (lambda root: os.symlink("/proc/self/mem", root / "ann/x.png"), "raw/ann/x.png: input/output error, expected a file that may be read"),
}  # fmt: skip


GROUPS = {"even": ["digit 0", "digit 2", "digit 4"], "odd": ["digit 1", "digit 3"]}
DESIGNS: dict[str, tuple[dict[str, Any], str | None]] = {
    "owen": ({"kind": "owen", "groups": GROUPS}, None),
    "a contributor in no group": ({"kind": "owen", "groups": {**GROUPS, "odd": ["digit 1"]}}, "groups: found contributor 'digit 3' 0 times, expected once"),
    "a group of a stranger": ({"kind": "owen", "groups": {**GROUPS, "new": ["digit 7"]}}, "groups: found 'digit 7', expected one of the 5 contributors"),
    "held-out singles": ({"kind": "add-one-in", "alphas": [0.2], "subsets": 4}, "found 4, expected at most 2, half of the subsets of 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_fits_its_study_or_says_why_not(workspace: Workspace, name: str) -> None:
    change, complaint = DESIGNS[name]
    workspace.config["design"]["kind"] = change["kind"]
    workspace.config["groups"] = change.get("groups", {})
    workspace.config["estimators"] = {"ridge": {"kind": change["kind"]}}  # the counterfactual's name for it
    workspace.config["evaluation"]["lds"].update({key: change[key] for key in ("alphas", "subsets") if key in change})
    process = workspace.run("results/tiny/designs/sampled/0000.csv")
    if complaint:
        assert process.returncode != 0
        assert_one_sentence(process.stdout.split("Finished jobid")[-1], complaint)
    else:
        assert process.returncode == 0, process.stdout
        assert len((workspace.results / "designs/sampled/0000.csv").read_text().splitlines()) == 9


def test_a_size_that_the_network_cannot_halve_is_one_sentence(workspace: Workspace) -> None:
    workspace.config["model"]["channels"] = [8, 8, 8, 8, 8]
    process = workspace.run("results/tiny/index/checked.json")
    assert process.returncode != 0
    assert_one_sentence(
        process.stdout,
        "found 5 levels for images of 8 x 8, expected fewer levels, or a size (data.size) that is a multiple of 16",
    )


@pytest.mark.parametrize("name", FOLDERS)
def test_a_malformed_folder_is_one_sentence(workspace: Workspace, name: str) -> None:
    change, complaint = FOLDERS[name]
    for contributor in ("ann", "bob", "cy", "dan", "eva"):
        pictures(workspace.folder / "raw" / contributor)
    change(workspace.folder / "raw")
    workspace.config["data"] = {"source": "image_folder", "path": "raw", "size": 8}
    process = workspace.run("results/tiny/index/checked.json")
    assert process.returncode != 0
    assert_one_sentence(process.stdout.split("Finished jobid")[-1], complaint)
    if "held-out" not in name:
        assert not list(workspace.results.glob("index/*")), "half-written index"


def test_a_plan_fails_where_a_run_would(workspace: Workspace) -> None:
    """Before an image is read: on data that are not there, and on more held-out subsets than five contributors have."""
    workspace.config["evaluation"]["lds"]["subsets"] = 50
    process = workspace.run("--dry-run")
    assert process.returncode != 0
    assert_one_sentence(
        process.stdout, "evaluation.lds.subsets: found 50, expected at most 5, half of the subsets of 2 of 5"
    )
    workspace.config["data"] = {"source": "image_folder", "path": "nosuch", "size": 8}
    process = workspace.run("--dry-run")
    assert process.returncode != 0
    assert_one_sentence(process.stdout, "data.path: nosuch is not a folder, expected the folder that holds the images")
    assert not workspace.results.exists()


def test_raw_data_may_go_when_the_index_is_there(workspace: Workspace) -> None:
    """A run says so and makes nothing again of it; what needs no raw data goes on."""
    for contributor in ("ann", "bob", "cy", "dan", "eva"):
        pictures(workspace.folder / "raw" / contributor)
    workspace.config["data"] = {"source": "image_folder", "path": "raw", "size": 8}
    assert workspace.run("results/tiny/index/checked.json").returncode == 0
    shutil.rmtree(workspace.folder / "raw")
    assert workspace.run("--unlock").returncode == 0
    assert "data.path: raw is not a folder" in workspace.run("--dry-run").stdout
    process = workspace.run("results/tiny/index/index.json")
    assert process.returncode != 0
    assert "make_index: Error: data.path: raw is not a folder" in process.stdout


def test_cuda_asked_for_and_absent_is_one_sentence(finished: Workspace, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    workspace = finished.copy(tmp_path / "copy")
    workspace.config["device"] = "cuda"
    process = workspace.run("results/tiny/models/full/everyone/0000/manifest.json")
    assert process.returncode != 0
    assert_one_sentence(process.stdout, "config: device: found cuda, but PyTorch sees no GPU")
    # told once, before any job; a plan, for which no GPU is needed, is made all the same
    fresh = Workspace(tmp_path / "fresh")
    fresh.config["device"] = "cuda"
    process = fresh.run()
    assert process.stdout.count("PyTorch sees no GPU") == 1
    assert process.returncode != 0 and not fresh.results.exists()
    assert fresh.planned()["train_models"] > 5


def test_shared_pictures_are_a_warning(workspace: Workspace) -> None:
    for contributor in ("ann", "bob", "cy", "dora", "elias"):
        pictures(workspace.folder / "raw" / contributor)
    shutil.copy(workspace.folder / "raw/ann/0.png", workspace.folder / "raw/bob/copy.png")
    workspace.config["data"] = {"source": "image_folder", "path": "raw", "size": 8}
    process = workspace.run("results/tiny/index/checked.json")
    assert process.returncode == 0
    # `pictures` draws by the length of the name, so ann and bob share all five; the copy adds no further picture
    assert "Warning: 5 picture(s) are those of more than one contributor" in process.stdout
    assert "(the first: ann/0.png and bob/0.png;" in process.stdout


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(workspace: Workspace) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    process = workspace.run("results/tiny/index/checked.json", "--nolock", preexec_fn=small_files)
    assert process.returncode != 0
    assert_one_sentence(process.stdout, "index/pixels.npy: could not be written (")
    assert not (workspace.results / "index/pixels.npy").exists()
    assert not [path for path in workspace.results.rglob(".*") if path.is_file() and path.suffix != ".log"]


def test_a_value_that_is_not_finite_stops_its_property_alone(finished: Workspace, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path / "copy")
    library = workspace.folder / "workflow/scripts/diffusion_credit/measuring/properties"
    text = (library / "inception_score.py").read_text()
    text = text.replace('"inception_score"', '"broken"').replace("return float(np.mean(scores))", "return float('nan')")
    (library / "broken.py").write_text(text)
    registry = library / "__init__.py"
    registry.write_text(registry.read_text().replace('"fid",', '"fid", "broken",'))
    kinds = {"broken": {"kind": "broken", "extractor": "classifier"}}
    better = {"entropy_of_2": {"kind": "cluster_entropy", "extractor": "classifier", "clusters": 2}}
    workspace.config["properties"] = {**finished.config["properties"], **kinds, **better}
    process = workspace.run("results/tiny/attribution/entropy_of_2/paper.csv", "results/tiny/utilities/broken.csv")
    assert process.returncode != 0
    assert "property broken of results/tiny/features/classifier/" in process.stdout
    assert "found nan, expected a finite number" in process.stdout
    assert (workspace.results / "attribution/entropy_of_2/paper.csv").exists()
    assert not list((workspace.results / "properties/broken").rglob("property.json"))
    assert not os.path.exists(workspace.results / "utilities/broken.csv")


def test_hostile_names_run_through_and_stay_data(workspace: Workspace) -> None:
    names = ["a b", "..\\..\\x", 'O\'Brien "x" <b>&', "画家 é", "{wildcard}", "value"]
    for name in names:
        pictures(workspace.folder / "raw" / name)
    workspace.config |= {"data": {"source": "image_folder", "path": "raw", "size": 8, "mode": "L"}}
    workspace.config["properties"] = {"fid": workspace.config["properties"]["fid"]}
    before = {path for path in workspace.folder.parent.rglob("*") if "results" not in path.parts}
    process = workspace.run("credit")
    assert process.returncode == 0, process.stdout
    from diffusion_credit.base.tables import read_subsets
    from diffusion_credit.credit.attribution import read_attribution

    assert sorted(read_attribution(workspace.results / "attribution/fid/paper.csv").contributor) == sorted(names)
    table = read_subsets(workspace.results / "utilities/fid.csv", valued=True)
    assert sorted(table.contributors) == sorted(names)
    made = {path for path in workspace.folder.parent.rglob("*") if "results" not in path.parts} - before
    assert all({".snakemake", ".cache", "__pycache__", "study.yaml"} & {*path.parts} for path in made), made
