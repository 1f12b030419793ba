"""The shipped studies: what they plan at full size, and a run at tiny size on files of the real formats."""

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from pipelines import write_vae
from scipy import stats
from studies import FASHION_MNIST, ROOT, Workspace

from diffusion_credit.data.images import read_zip

pytestmark = pytest.mark.workflow

# Counted by hand: rows of each list over the batch size, rounded up; a sparse model for each sampled, end and held-out
# row, a retrained one for each held-out, end and counterfactual row, and the full and the re-fitted model.
JOBS = {
    # batches of 5: sampled 100, ends 2, held-out 3 x 60, counterfactual 6
    "cifar20": {
        "make_design": 1 + 100 + 2 + 180 + 6,
        "train_models": 2 + (100 + 2 + 180) + (180 + 2 + 6),
        "generate_images": 3 + (100 + 2 + 180) + (180 + 2 + 6),
        "extract_features": 4 + (100 + 2 + 180) + (180 + 2 + 6),
        "measure_property": 4 + (100 + 2 + 180) + (180 + 2 + 6),
        "collect_list_utilities": 3 * 2 + 2,
        "attribute_contributors": 2,
        "fetch_weights": 1,
        "prune_model": 1,
    },
    # batches of 4: sampled 125, ends 3, held-out 3 x 75, counterfactual 8
    "celebahq": {
        "make_design": 1 + 125 + 3 + 225 + 8,
        "train_models": 2 + (125 + 3 + 225) + (225 + 3 + 8),
        "generate_images": 3 + (125 + 3 + 225) + (225 + 3 + 8),
        "extract_features": 4 + (125 + 3 + 225) + (225 + 3 + 8),
        "measure_property": 4 + (125 + 3 + 225) + (225 + 3 + 8),
        "collect_list_utilities": 3 * 2 + 2,
        "attribute_contributors": 2,
        "fetch_weights": 2,
        "encode_inputs": 1,
        "fit_reference": 1,
    },
    # batches of 4: sampled 250, ends 3, held-out 3 x 75, counterfactual 4
    "artbench": {
        "make_design": 1 + 250 + 3 + 225 + 4,
        "train_models": 2 + (250 + 3 + 225) + (225 + 3 + 4),
        "generate_images": 3 + (250 + 3 + 225) + (225 + 3 + 4),
        "extract_features": 4 + (250 + 3 + 225) + (225 + 3 + 4),
        "measure_property": 4 + (250 + 3 + 225) + (225 + 3 + 4),
        "collect_list_utilities": 3 * 2 + 2,
        "attribute_contributors": 2,
        "fetch_weights": 3,
        "encode_inputs": 1,
        "encode_prompts": 1,
    },
    # batches of 2: sampled 250, ends 5, held-out 32, counterfactual 5
    "cifar10_fid": {
        "make_design": 1 + 250 + 5 + 32 + 5,
        "train_models": 2 + (250 + 5 + 32) + (32 + 5 + 5),
        "generate_images": 3 + (250 + 5 + 32) + (32 + 5 + 5),
        "extract_features": 4 + (250 + 5 + 32) + (32 + 5 + 5),
        "measure_property": 4 + (250 + 5 + 32) + (32 + 5 + 5),
        "collect_list_utilities": 1 * 2 + 2,
        "attribute_contributors": 2,
        "fetch_weights": 1,
        "fit_reference": 1,
    },
    # batches of 20: sampled 10, ends 1, held-out 4, and for each of three properties a counterfactual, measured by it
    "clipart": {
        "make_design": 1 + 10 + 1 + 4 + 3,
        "train_models": 2 + (10 + 1 + 4) + (4 + 1 + 3),
        "generate_images": 3 + (10 + 1 + 4) + (4 + 1 + 3),
        "extract_features": 4 + (10 + 1 + 4) + (4 + 1 + 3),
        "measure_property": 3 * (4 + (10 + 1 + 4) + (4 + 1)) + 3,
        "collect_list_utilities": 3 * (2 + 2),
        "attribute_contributors": 3 * 2,
        "fit_reference": 2,
        "rebuild_clipart": 0,
    },
}


# With tables=true, in the same batches: leave-one-out, games in the regimes retrain, finetune, gradient_ascent and
# influence, and the tuning subsets; the last three regimes have ends of their own.
GAMES = {
    "cifar20": (4, 19, 75, 86, 86, 5),  # 20, 95, 375, 430, 430 and 24 by 5
    "celebahq": (13, 12, 90, 108, 108, 6),  # 50, 48, 360, 430, 430 and 24 by 4
    "artbench": (65, 14, 300, 400, 400, 6),  # 258, 54, 1,200, 1,600, 1,600 and 24 by 4
}
ENDS = {"cifar20": 2, "celebahq": 3, "artbench": 3}
FEATURES = {"cifar20": 2, "celebahq": 2, "artbench": 0}  # of the data and of the full model, by CLIP if by nothing else
BASELINES = {"cifar20": 8, "celebahq": 9, "artbench": 9}


def shipped(workspace: Workspace, name: str) -> Workspace:
    text = (ROOT / f"config/studies/{name}.yaml").read_text()
    workspace.config = yaml.safe_load(
        text.replace("adamw_8bit", "adamw")
    )  # bitsandbytes is not among the tests' packages
    return workspace


@pytest.mark.parametrize("name", JOBS)
def test_a_study_plans_the_jobs_that_it_needs(workspace: Workspace, name: str, raw_files: Path) -> None:
    (workspace.folder / "data").symlink_to(raw_files)
    (workspace.folder / "resources").symlink_to(ROOT / "resources")
    planned = shipped(workspace, name).planned()
    assert {rule: planned.get(rule, 0) for rule in JOBS[name]} == JOBS[name]
    assert ("encode_inputs" in planned) == (name in ("celebahq", "artbench"))


@pytest.mark.parametrize("name", GAMES)
def test_the_tables_of_a_paper_add_the_jobs_of_its_baselines_and_rivals(
    workspace: Workspace, name: str, raw_files: Path
) -> None:
    (workspace.folder / "data").symlink_to(raw_files)
    (workspace.folder / "resources").symlink_to(ROOT / "resources")
    planned = shipped(workspace, name).planned("--config", "tables=true")
    models, baselines = sum(GAMES[name]) + 3 * ENDS[name], BASELINES[name]
    added = {
        "make_design": sum(GAMES[name]),
        "train_models": models,
        "generate_images": models,
        "extract_features": models + FEATURES[name],
        "measure_property": models,
        "collect_list_utilities": len(GAMES[name]) + 3,
        "attribute_contributors": 5,
        "fetch_weights": int(name != "artbench"),  # CLIP's
    }
    assert {rule: planned[rule] - JOBS[name].get(rule, 0) for rule in added} == added
    once = {"compute_gradients": 2, "score_baseline": baselines, "attribute_by_baseline": baselines}
    once["compare_with_published"] = 1
    assert {rule: planned[rule] for rule in once} == once


# Contributors, side of an image, share of the parameters that pruning keeps (of adapters exactly), estimators whose
# values sum to F(everyone) - F(empty)
TINY: dict[str, tuple[int, int, tuple[float, float], list[str]]] = {
    "cifar20": (20, 32, (0.2, 0.5), ["paper", "ridge"]),
    "celebahq": (8, 32, (0.2, 0.6), ["paper", "ridge"]),
    "artbench": (8, 16, (0.5, 0.5), ["paper", "ridge"]),
    "cifar10_fid": (30, 32, (0.2, 0.5), []),
    "clipart": (20, 16, (0.2, 0.6), ["paper", "ridge"]),
    "fashion": (6, 32, (0.2, 0.6), ["paper"]),
    "fashion_lora": (6, 32, (0.5, 0.5), ["paper"]),
}


@pytest.mark.parametrize("name", TINY)
def test_a_study_runs_at_tiny_size(workspace: Workspace, name: str, tiny_files: Path) -> None:
    if "fashion" in name and not FASHION_MNIST.is_dir():
        pytest.skip("Debian's dataset-fashion-mnist is not installed")
    contributors, side, (least, most), efficient = TINY[name]
    (workspace.folder / "tiny").symlink_to(tiny_files)
    (workspace.folder / "resources").symlink_to(ROOT / "resources")
    if name == "fashion_lora":
        _train_base(workspace.folder)
    scale = ["--config", "scale=tiny"]
    properties = shipped(workspace, name).config["properties"]
    if name == "clipart":  # of three, this one runs every rule
        workspace.config["properties"] = {"cluster_entropy": properties["cluster_entropy"]}
    process = workspace.run(*scale)
    assert process.returncode == 0, process.stdout
    if name in GAMES:  # the tables of its paper make nothing again that is there
        models = {path: path.stat().st_mtime_ns for path in workspace.folder.glob("results/*/models/**/manifest.json")}
        scale.append("tables=true")
        process = workspace.run(*scale)
        assert process.returncode == 0, process.stdout
        assert models and all(path.stat().st_mtime_ns == before for path, before in models.items())
    assert "Nothing to be done" in workspace.run(*scale).stdout

    results = workspace.folder / "results" / f"{name}_tiny"
    tiny = workspace.config["scales"]["tiny"]
    sampled = [sha256(path.read_bytes()).hexdigest() for path in results.glob("images/sparse/sampled/*/*/images.zip")]
    assert len({*sampled}) == tiny["design"]["subsets"]  # no two models are the same
    for property in workspace.config["properties"]:
        utilities = pd.read_csv(results / f"utilities/{property}.csv")
        members = utilities.iloc[:, 3:-1]
        assert members.shape == (tiny["design"]["subsets"] + 2 * tiny["design"]["anchors"], contributors)
        assert np.isfinite(utilities.value).all()
        everyone, empty = (utilities.value[members.sum(axis=1) == size] for size in (contributors, 0))
        assert (len(everyone), len(empty)) == (2, 2)
        if name in GAMES:
            _assert_tables(results, name, members.columns)
        if name in ("artbench", "fashion_lora"):
            assert empty.nunique() == 1  # the base model, whatever the seed
        if name == "artbench":
            said = json.loads((results / "credit.json").read_text())["provenance"]["weights"]
            files = {
                name: results / f"weights/{name}/manifest.json" for name in ("aesthetic", "clip", "stable_diffusion")
            }
            assert said == {name: sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
        for estimator in workspace.config["estimators"]:
            table = pd.read_csv(results / f"attribution/{property}/{estimator}.csv")
            assert list(table.contributor) == list(members.columns)
            assert np.isfinite(table.value).all()
            if estimator in efficient:
                assert table.value.sum() == pytest.approx(everyone.mean() - empty.mean(), rel=1e-6, abs=1e-9)
        for table in ("lds", "counterfactual", "fidelity", "budget", "noise"):
            assert len(pd.read_csv(results / f"evaluation/{property}/{table}.csv")) > 0

    models = pd.read_csv(results / "evaluation/models.csv", index_col="images_of")
    kept = models.parameters["pruned"] / models.parameters["full"]
    assert least <= kept <= most
    assert models.parameters["refit"] == models.parameters["pruned"]
    for archive in results.glob("images/*/*/*/*/images.zip"):
        pixels = read_zip(archive)
        count = len(pixels) if "/images/data/" in str(archive) else tiny["generation"]["images"]
        assert pixels.shape == (count, side, side, 1 if "fashion" in name else 3)
    if name == "fashion":  # its autoencoder is trained first, once, and is named in the report
        errors = pd.read_csv(results / "autoencoders/autoencoder/errors.csv", index_col="images_of")
        each = errors.root_mean_square_error.drop("all images")  # of as many images each
        assert errors.root_mean_square_error["all images"] == pytest.approx(float((each**2).mean() ** 0.5), rel=1e-9)
        credit = json.loads((results / "credit.json").read_text())
        manifest = results / "weights/autoencoder/manifest.json"
        assert credit["provenance"]["weights"] == {"autoencoder": sha256(manifest.read_bytes()).hexdigest()}
        assert "What it learnt from anybody is not credited" in " ".join((results / "card.md").read_text().split())
        learning = pd.read_csv(results / "evaluation/learning.csv", index_col="measure")
        assert learning.value["deviation_of_latents"] == pytest.approx(1, abs=1e-3)


def _train_base(folder: Path) -> None:
    """The base of the study's adapters, by its own script, in three steps."""
    write_vae(folder / "autoencoder", in_channels=1, out_channels=1)
    script = [sys.executable, ROOT / "resources/fashion/train_base.py", "autoencoder", "weights/fashion-base", "3"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    subprocess.run(script, cwd=folder, env=environment, check=True, capture_output=True)


def _assert_tables(results: Path, name: str, contributors: pd.Index) -> None:
    """The paper's rows in its order, its numbers as they are, and ours as by SciPy from what the study retrained."""
    published = pd.read_csv(ROOT / f"resources/papers/{name}.csv", dtype=str, keep_default_na=False)
    held_out = pd.read_csv(next(results.glob("utilities/*/retrain_held_out_0.5.csv")))
    means = held_out.groupby("subset", sort=False).mean(numeric_only=True)
    league = pd.read_csv(next(results.glob("evaluation/*/league.csv")), index_col="method")
    for table in ("lds", "removal", "fidelity", "runtime"):
        found = pd.read_csv(results / f"evaluation/paper/{table}.csv")
        expected = published[published.table == table]
        assert found.row.tolist() == expected.row.tolist()
        assert found.published.tolist() == pytest.approx(
            pd.to_numeric(expected.published).tolist(), nan_ok=True, abs=1e-12
        )
        assert (found.ours.notna() | found.note.notna()).all()  # a number, or why there is none
        if table == "removal":
            assert found.ours.tolist() == pytest.approx([league.without_top_percent["paper"]])
        for _, row in found[(table == "lds") & found.part.isna()].iterrows():
            values = pd.read_csv(next(results.glob(f"attribution/*/{row.method}.csv"))).value
            truth = stats.spearmanr(means[contributors].to_numpy() @ values.to_numpy(), means.iloc[:, -1]).statistic
            if np.isfinite(truth):
                assert row.ours == pytest.approx(100 * truth)
