"""Local attribution: what the D-TRAK paper's studies plan, and a tiny study recomputed from what it is made of."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from reports import Loaded, Report
from safetensors.numpy import load_file
from scipy import stats
from studies import ROOT, TRAINING, Workspace

from diffusion_credit.data.images import read_zip

pytestmark = pytest.mark.workflow


def jobs(batch: int, removing: int, methods: int, gradients: int, subsets: int, tuning: int) -> dict[str, int]:
    """Counted by hand: `removing` generated images for each method and for chance are drawn again, of a model each."""
    judged, removed = (subsets + tuning) // batch, (methods + 1) * -(-removing // batch)
    return {
        "train_models": 1 + judged + removed,
        "make_design": 1 + judged + removed,
        "measure_losses": judged,
        "generate_images": 1,
        "regenerate_images": removed,
        "extract_features": 3 + removed,  # of the data, of validation images, of generated ones
        "compute_gradients": gradients,
        "score_images": methods,
        "list_influential": methods,
        "evaluate_local": 1,
        "compare_regenerated": 1,
    }


PAPERS = dict(removing=60, methods=4, gradients=2, subsets=64 * 3, tuning=16)
JOBS = {
    "dtrak_digits": jobs(batch=16, removing=12, methods=6, gradients=2, subsets=32 * 2, tuning=16),
    "dtrak_cifar2": jobs(batch=4, **PAPERS),
    "dtrak_cifar10": jobs(batch=2, **PAPERS),
    "dtrak_celeba": jobs(batch=4, **PAPERS),
    "dtrak_artbench2": jobs(batch=4, **PAPERS),
    "dtrak_artbench5": jobs(batch=4, **PAPERS),
}


@pytest.mark.parametrize("name", JOBS)
def test_a_study_plans_the_jobs_that_it_needs(
    workspace: Workspace, name: str, raw_files: Path, tiny_files: Path
) -> None:
    (workspace.folder / "data").symlink_to(raw_files)
    (workspace.folder / "tiny").symlink_to(tiny_files)
    workspace.config = yaml.safe_load((ROOT / f"config/studies/{name}.yaml").read_text())
    planned = workspace.planned()
    assert {rule: planned.get(rule, 0) for rule in JOBS[name]} == JOBS[name]
    if "scales" in workspace.config:
        assert workspace.planned("--config", "scale=tiny")["train_models"] == 1 + 2 * 4 // 8 + 1 + 5


IMAGES, VALIDATION, REMOVED = 360, 6, 20  # of the digits 0 and 1
METHODS = ["d_trak", "journey", "pixels"]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("local") / "copy")
    gradients = {"timesteps": 3, "projection": 64}
    workspace.config = {
        key: workspace.config[key] for key in ("study", "seed", "model", "diffusion", "extractors")
    } | {
        "data": {"source": "digits", "contributors": [0, 1]},
        "training": {**TRAINING, "steps": 60},
        "generation": {"images": 10, "solver": "ddim", "steps": 2},
        "gradients": {
            "loss": {**gradients, "output": "loss", "path": True},
            "square": {**gradients, "output": "squared_l2"},
        },
        "baselines": {
            "d_trak": {"kind": "gradients", "gradients": "square", "score": "trak", "damping": [0.1, 1.0]},
            "journey": {
                "kind": "gradients", "gradients": "loss", "score": "trak", "along": "path", "damping": [0.1, 1.0],
            },
            "pixels": {"kind": "similarity", "measure": "dot"},
        },
        "local": {
            "validation": VALIDATION,
            "generated": 8,
            "batch_size": 16,
            "retrain": {**TRAINING, "steps": 10},
            "subsets": 8,
            "replicates": 2,
            "tuning": 6,
            "timesteps": 3,
            "regeneration": {"images": 3, "removed": REMOVED, "extractor": "classifier"},
            "shown": 4,
        },
    }  # fmt: skip
    process = workspace.run()
    assert process.returncode == 0, process.stdout
    return workspace


def members(local: Workspace, name: str) -> pd.DataFrame:
    return pd.concat([pd.read_csv(path) for path in sorted(local.results.glob(f"designs/{name}/*.csv"))])


def entries(table: pd.DataFrame) -> list[str]:
    return [f"{subset}-{replicate}" for subset, replicate in zip(table.subset, table.replicate, strict=True)]


def losses(local: Workspace, name: str, of: str) -> np.ndarray:
    """(rows of the design, images)."""
    table = members(local, name)
    folder = local.results / "losses/retrain" / name
    found = {path.name: path for path in folder.glob("*/*") if path.is_dir()}
    return np.stack([load_file(found[row] / "losses.safetensors")[of] for row in entries(table)])


def flags(table: pd.DataFrame) -> np.ndarray:
    """(rows, players)."""
    return table[[key for key in table if "digit" in key]].to_numpy(bool)


def lds(local: Workspace, scores: np.ndarray, name: str, replicates: int, of: str) -> float:
    """The mean over images of SciPy's Spearman correlation."""
    players = flags(members(local, name))[::replicates]
    measured = losses(local, name, of).reshape(len(players), replicates, -1).mean(axis=1)
    each = [stats.spearmanr(players @ score, -image).statistic for score, image in zip(scores, measured.T, strict=True)]
    return float(np.mean(each))


def scores(local: Workspace, method: str) -> dict[str, np.ndarray]:
    return {
        of: array.astype(float)
        for of, array in load_file(local.results / "local" / method / "scores.safetensors").items()
    }


def test_lds_is_the_mean_over_images_of_spearmans_correlation(local: Workspace) -> None:
    found = pd.read_csv(local.results / "evaluation/local/lds.csv").set_index(["images", "method"])
    assert set(found.index) == {(of, name) for of in ("validation", "generated") for name in [*METHODS, "noise_floor"]}
    for (of, method), row in found.iterrows():
        assert row["count"] == {"validation": VALIDATION, "generated": 8}[of]
        if method != "noise_floor":
            expected = lds(local, scores(local, method)[of], "held_out_0.5", 2, of)
            assert row.lds == pytest.approx(expected, abs=1e-9)
        assert row.low <= row.lds <= row.high


def test_what_is_explained_and_what_judges_was_never_chosen_on(local: Workspace) -> None:
    """Validation images are in no training; lambda is that of the tuning subsets, of which none is held out."""
    index = pd.read_csv(local.results / "index/index.csv")
    assert len(index) == index.source.nunique() == IMAGES - VALIDATION
    held_back_rows = pd.read_csv(local.results / "index/validation.csv")
    assert len(held_back_rows) == VALIDATION and not set(held_back_rows.source) & set(index.source)
    (held_back,) = local.results.glob("images/validation/everyone/*/*/images.zip")
    pixels = np.load(local.results / "index/pixels.npy")
    assert not {image.tobytes() for image in read_zip(held_back)[..., :1]} & {image.tobytes() for image in pixels}

    tuning, held_out = flags(members(local, "tuning")), flags(members(local, "held_out_0.5"))
    assert len(tuning) == 6 and len(held_out) == 16
    assert not {row.tobytes() for row in tuning} & {row.tobytes() for row in held_out}
    assert (held_out.sum(axis=1) == (IMAGES - VALIDATION) // 2).all()
    for method in ("d_trak", "journey"):
        about = json.loads((local.results / "local" / method / "about.json").read_text())
        best = about["tuning_lds"][about["chosen"]]
        assert best == max(about["tuning_lds"].values())
        mine = scores(local, method)
        both = [lds(local, mine[of], "tuning", 1, of) for of in ("validation", "generated")]
        assert best == pytest.approx(np.average(both, weights=[VALIDATION, 8]), abs=1e-6)


def test_influential_images_are_the_ends_of_the_scores(local: Workspace) -> None:
    names = pd.read_csv(local.results / "index/index.csv").contributor.to_numpy()
    for method in METHODS:
        score = scores(local, method)["generated"]
        table = pd.read_csv(local.results / "local" / method / "influential.csv")
        assert len(table) == 8 * 2 * 4
        for (image, end), rows in table.groupby(["generated_image", "end"]):
            order = np.argsort(score[image] if end == "least" else -score[image], kind="stable")[:4]
            assert rows.score.to_list() == pytest.approx(score[image][order].tolist())
            assert set(rows.training_image) == set(names[order])


def test_images_are_drawn_again_without_those_that_made_them(local: Workspace) -> None:
    changed = pd.read_csv(local.results / "evaluation/local/regenerated.csv").set_index(["removed_by", "image"])
    (original,) = local.results.glob("images/full/everyone/*/*/images.zip")
    for method in [*METHODS, "random"]:
        table = members(local, f"without_{method}")
        removed = ~flags(table)
        assert removed.sum(axis=1).tolist() == [REMOVED] * 3
        folder = local.results / f"images/retrain/without_{method}/0000"
        for image, entry in enumerate(entries(table)):
            if method != "random":
                top = np.argsort(-scores(local, method)["generated"][image], kind="stable")[:REMOVED]
                assert set(np.flatnonzero(removed[image])) == set(top)
            (drawn,) = read_zip(folder / entry / "images.zip")
            gap = (drawn.astype(float) - read_zip(original)[image])[..., 0] / 255
            assert changed.pixel_distance[method, image] == pytest.approx(np.linalg.norm(gap))
    summary = pd.read_csv(local.results / "evaluation/local/regeneration.csv").set_index(["removed_by", "measure"])
    for method in METHODS:
        mean, chance = (changed.cosine[name].mean() for name in (method, "random"))
        row = summary.loc[method, "cosine"]
        assert (row["mean"], row.beyond_random) == (pytest.approx(mean), pytest.approx(mean - chance))


def test_it_is_shown_and_its_status_is_that_all_is_done(local: Workspace) -> None:
    def said(command: str) -> list[str]:
        script = "from diffusion_credit.cli import main; main()"
        arguments = [sys.executable, "-c", script, command, "study.yaml"]
        process = subprocess.run(arguments, cwd=local.folder, capture_output=True, text=True, check=True)
        return process.stdout.splitlines()

    _, *rows = said("show")
    assert len(rows) == 2 * (len(METHODS) + 1)
    lds = pd.read_csv(local.results / "evaluation/local/lds.csv").iloc[0]
    assert rows[0].split() == ["validation", "d_trak", f"{lds.lds:.2f}", f"[{lds.low:.2f},", f"{lds.high:.2f}]"]
    _, *stages = said("status")
    counts = [line.split("] ")[1].split() for line in stages]
    assert all(done == total for done, _, total in counts) and len(counts) > 8
    assert next(line for line in stages if line.startswith("losses")).endswith("22 of 22")


def test_an_edit_of_what_is_trained_on_is_checked_against_its_own_images(local: Workspace) -> None:
    """And not against the index, which it is about to replace."""
    before = copy.deepcopy(local.config)
    local.config["local"]["training"] = 100
    assert local.planned()["make_index"] == 1
    local.config["local"]["regeneration"]["removed"] = 400
    local.config["local"]["training"] = None
    process = local.run("--dry-run")
    assert process.returncode != 0 and "local.regeneration.removed: found 400, expected less than 354" in process.stdout
    local.config = before


def test_a_second_run_has_nothing_to_do_and_another_lambda_trains_no_subset(local: Workspace) -> None:
    assert local.planned() == {}
    local.config["baselines"]["d_trak"]["damping"] = [0.1, 5.0]
    planned = local.planned()
    assert planned["score_images"] == planned["train_models"] == 1  # without the new best of each image
    assert not {"compute_gradients", "measure_losses"} & set(planned)
    assert Path(local.results / "local/d_trak/scores.safetensors").exists()


def test_the_report_explains_every_table_and_picture(local: Workspace, tmp_path: Path) -> None:
    report = Report(local, tmp_path)
    places = {
        path: (result["category"], result["subcategory"], *result["labels"].values())
        for path, result in report.results.items()
    }
    assert sorted(places.values()) == sorted(
        [("Local", name, kind, "influential") for name in METHODS for kind in ("table", "figure")]
        + [("Evaluation", "local", kind, name) for name in ("lds", "regeneration") for kind in ("table", "figure")]
        + [("Evaluation", "local", "table", "regenerated")]
    )
    for path, (category, subcategory, _, _) in places.items():
        assert "interval" in report.caption(path)
        assert category == "Evaluation" or f"by {subcategory}." in report.caption(path)
    assert "Which training images" in report.about
    assert not Loaded(report.page).foreign
