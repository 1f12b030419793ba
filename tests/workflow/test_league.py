"""The league of a tiny study with further games, SurrogateSHAP and baselines, recomputed from what it is made of."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy import stats
from studies import TRAINING, Workspace

from diffusion_credit.credit.estimators import gaussian_process
from diffusion_credit.credit.prediction import predict
from diffusion_credit.credit.utilities import Utilities
from diffusion_credit.evaluation.removal import LEFT_OUT

GAMES = {
    "alone": {"kind": "add-one-in", "regime": "sparse", "subsets": 5},
    "again": {"kind": "paired-stratified", "regime": "retrain", "subsets": 6},
    "told": {"kind": "paired-stratified", "regime": "conditional", "subsets": 16},
    "unlearned": {"kind": "leave-one-out", "regime": "unlearn", "subsets": 10},
}
ESTIMATORS = {
    "ridge": {"kind": "ridge"},
    "process": {"kind": "gaussian-process"},
    "two_regimes": {"kind": "gaussian-process", "game": "again", "cheap": "design"},
    "add_one_in": {"kind": "add-one-in", "game": "alone"},
    "surrogate_shap": {"kind": "surrogate", "game": "told"},
    "leave_one_out": {"kind": "leave-one-out", "game": "unlearned"},
}
GRADIENTS = {
    "loss": {"output": "loss", "timesteps": 3, "projection": 64, "path": True},
    "square": {"output": "squared_l2", "timesteps": 3, "projection": 64, "models": "retrained"},
}
BASELINES = {
    "pixels": {"kind": "similarity"},
    "product": {"kind": "gradients", "gradients": "loss", "score": "dot"},
    "journey": {"kind": "gradients", "gradients": "loss", "score": "trak", "along": "path", "damping": [0.1, 1.0]},
    "d_trak": {"kind": "gradients", "gradients": "square", "score": "trak", "damping": [0.1, 1.0]},
    "guda": {"kind": "elbo", "game": "unlearned", "timesteps": 3, "images": 7},
}
METHODS = [*ESTIMATORS, *BASELINES]
PREDICTIONS = ["process prediction", "two_regimes prediction"]
TARGETS = [f"results/tiny/evaluation/fid/{table}.csv" for table in ("league", "lds", "removal")]


@pytest.fixture(scope="module")
def league(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = finished.copy(tmp_path_factory.mktemp("league") / "copy")
    config = workspace.config
    config["properties"] = {"fid": config["properties"]["fid"]}  # lower is better
    config["regimes"] |= {
        "conditional": {**TRAINING, "caption_dropout": 0.2, "guidance": 1.5},
        "unlearn": {**TRAINING, "neighbours": 2, "forget_weight": 1.0},
    }
    config |= {"games": GAMES, "estimators": ESTIMATORS, "gradients": GRADIENTS, "baselines": BASELINES}
    config["evaluation"]["tuning"] = {"subsets": 5}
    config["evaluation"]["counterfactual"]["every_method"] = True
    process = workspace.run(*TARGETS)
    assert process.returncode == 0, process.stdout
    return workspace


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def table(league: Workspace, name: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Members, values and subsets of a table of utilities."""
    found = rows(league.results / "utilities" / name)
    names = [key for key in found[0] if key.startswith("digit")]
    members = np.array([[row[name] == "1" for name in names] for row in found])
    return members, np.array([float(row["value"]) for row in found]), [row["subset"] for row in found]


def held_out(league: Workspace) -> tuple[np.ndarray, np.ndarray]:
    members, values, _ = table(league, "fid/retrain_held_out_0.5.csv")
    return members[::2], values.reshape(-1, 2).mean(axis=1)


def credited(league: Workspace, method: str) -> list[dict[str, str]]:
    return rows(league.results / "attribution/fid" / f"{method}.csv")


def values_of(league: Workspace, method: str) -> np.ndarray:
    return np.array([float(row["value"]) for row in credited(league, method)])


def seconds(folder: Path) -> float:
    return sum(json.loads(path.read_text()) for path in folder.glob("*/seconds.json"))


def test_every_method_is_judged_by_the_same_models(league: Workspace) -> None:
    members, measured = held_out(league)
    found = {row["method"]: row for row in rows(league.results / "evaluation/fid/league.csv")}
    assert set(found) == {*METHODS, *PREDICTIONS, "image_count", "subset_size", "noise_floor"}
    predicted = {row["predictor"]: row["lds"] for row in rows(league.results / "evaluation/fid/lds.csv")}
    assert all(found[name]["lds"] == predicted[name] for name in PREDICTIONS)
    assert found["noise_floor"]["lds"] == next(
        row["lds"] for row in rows(league.results / "evaluation/fid/lds.csv") if row["predictor"] == "noise_floor"
    )
    assert found["subset_size"]["note"].startswith("not estimable")
    for method in METHODS:
        lds = stats.spearmanr(members @ values_of(league, method), measured).statistic
        assert float(found[method]["lds"]) == pytest.approx(lds)
        notes = [found[method]["note"], credited(league, method)[0]["note"]]
        assert len({"finds no differences" in note for note in notes}) == 1  # of the fit, carried over
        if method != "ridge":
            first = float(found["ridge"]["lds"])
            assert float(found[method]["lead"]) == pytest.approx(lds - first)


def test_a_process_predicts_the_held_out_models(league: Workspace) -> None:
    members, measured = held_out(league)
    everyone, value, _ = table(league, "fid.csv")
    proper = everyone.any(axis=1) & ~everyone.all(axis=1)
    names = [row["contributor"] for row in credited(league, "ridge")]
    ends = value[everyone.all(axis=1)], value[~everyone.any(axis=1)]
    expected = predict(Utilities(names, everyone[proper], value[proper], *ends), members).expected
    found = {row["predictor"]: row for row in rows(league.results / "evaluation/fid/lds.csv")}
    assert float(found["process prediction"]["lds"]) == pytest.approx(stats.spearmanr(expected, measured).statistic)
    assert {name for name in found if name.endswith(" prediction")} == {*PREDICTIONS}
    for row in credited(league, "process"):
        assert float(row["low"]) <= float(row["value"]) <= float(row["high"])
        assert row["value_of"] == row["interval_of"] == "Gaussian process"


def test_retrained_subsets_correct_the_sampled_ones(league: Workspace) -> None:
    games = []
    for names in (["fid/retrain_game_again.csv", "fid/retrain_anchors.csv"], ["fid.csv"]):
        parts = [table(league, name) for name in names]
        members, value = (np.concatenate([part[at] for part in parts]) for at in (0, 1))
        every, none = members.all(axis=1), ~members.any(axis=1)
        contributors = [row["contributor"] for row in credited(league, "two_regimes")]
        proper = ~every & ~none
        games.append(Utilities(contributors, members[proper], value[proper], value[every], value[none]))
    both = replace(games[0], cheap=games[1])
    found = gaussian_process.estimate(both, {"of": "shapley"})
    assert values_of(league, "two_regimes") == pytest.approx(found.value)
    assert not np.allclose(found.value, gaussian_process.estimate(games[0], {"of": "shapley"}).value, rtol=1e-3)
    members, measured = held_out(league)
    lds = stats.spearmanr(predict(both, members).expected, measured).statistic
    scored = {row["predictor"]: row for row in rows(league.results / "evaluation/fid/lds.csv")}
    assert float(scored["two_regimes prediction"]["lds"]) == pytest.approx(lds)


def test_what_is_expected_without_each_stands_beside_retrained_models(league: Workspace) -> None:
    everyone, value, _ = table(league, "fid.csv")
    proper = everyone.any(axis=1) & ~everyone.all(axis=1)
    names = [row["contributor"] for row in credited(league, "ridge")]
    ends = value[everyone.all(axis=1)], value[~everyone.any(axis=1)]
    game = Utilities(names, everyone[proper], value[proper], *ends)
    removed, after, subsets = table(league, "fid/retrain_counterfactual_fid.csv")
    base, before, _ = table(league, "fid/retrain_anchors.csv")
    found = rows(league.results / "evaluation/fid/removal.csv")
    assert [row["without"] for row in found] == [*names, *LEFT_OUT.values()]
    for i, row in enumerate(found):
        subset = {text: name for name, text in LEFT_OUT.items()}.get(row["without"])
        mine = [each == subset for each in subsets]
        left = removed[mine][0] if subset else np.arange(len(names)) != i
        expected = predict(game, left[None])
        assert float(row["expected"]) == pytest.approx(expected.expected[0])
        assert float(row["change"]) == pytest.approx(expected.expected[0] - game.everyone.mean())
        assert float(row["change_low"]) < float(row["change"]) < float(row["change_high"])
        assert int(row["contributors"]) == (~left).sum()
        if subset:
            change = after[mine].mean() - before[base.all(axis=1)].mean()
            assert float(row["measured_change"]) == pytest.approx(change)
        else:
            assert row["measured_change"] == ""


def test_no_method_has_seen_a_reported_subset(league: Workspace) -> None:
    """Neither the design, nor a game, nor the choice of variant and lambda."""
    reported = {row.tobytes() for row in held_out(league)[0]}
    names = ["fid.csv", "fid/sparse_tuning.csv", "fid/sparse_game_alone.csv", "fid/conditional_game_told.csv"]
    for name in names:
        members, _, _ = table(league, name)
        assert not reported & {row.tobytes() for row in members}
    # and what is chosen is a function of the tuning subsets: the best of them, on them
    members, measured, _ = table(league, "fid/sparse_tuning.csv")
    for baseline in BASELINES:
        variants = rows(league.results / "baselines" / f"{baseline}.csv")
        names = [key for key in variants[0] if key != "contributor"]
        score = [
            stats.spearmanr(members @ [float(row[name]) for row in variants], -measured).statistic for name in names
        ]
        chosen = names[int(np.argmax(np.nan_to_num(score, nan=-2)))]
        found = credited(league, baseline)
        assert {row["value_of"] for row in found} == {chosen}
        assert [float(row["value"]) for row in found] == [-float(row[chosen]) for row in variants]


def test_the_top_of_every_method_is_removed(league: Workspace) -> None:
    members, values, subsets = table(league, "fid/retrain_without_top_fid.csv")
    everyone = table(league, "fid/retrain_anchors.csv")
    base = everyone[1][everyone[0].all(axis=1)].mean()
    found = {row["method"]: row for row in rows(league.results / "evaluation/fid/league.csv")}
    assert len(subsets) == 2 * (len(METHODS) - 1)
    for method in set(METHODS) - {"ridge"}:
        mine = [at for at, subset in enumerate(subsets) if subset == method]
        top = [int(row["rank"]) <= 2 for row in credited(league, method)]
        assert (members[mine] == ~np.array(top)).all() and len(mine) == 2
        change = 100 * (values[mine].mean() / base - 1)
        assert float(found[method]["without_top_percent"]) == pytest.approx(change)


def test_costs_are_the_seconds_that_the_jobs_measured(league: Workspace) -> None:
    found = {
        row["method"]: float(row["seconds"])
        for row in rows(league.results / "evaluation/fid/league.csv")
        if row["seconds"]
    }

    def of(regime: str, name: str) -> float:
        stages = ("models", "images", "features/classifier")
        return sum(seconds(league.results / stage / regime / name / "0000") for stage in stages)

    tuning, refit = of("sparse", "tuning"), seconds(league.results / "models/refit/everyone/0000")
    expected = {
        "ridge": of("sparse", "sampled") + of("sparse", "anchors") + refit,
        "add_one_in": of("sparse", "game_alone") + of("sparse", "anchors") + refit,
        "surrogate_shap": of("conditional", "everyone"),
        "product": tuning + refit + seconds(league.results / "gradients/loss"),
        "d_trak": tuning + refit + seconds(league.results / "gradients/square"),
        "guda": tuning + refit + seconds(league.results / "bounds/guda/full/everyone/0000"),
    }
    for stage in ("models", "bounds/guda"):  # ten models in batches of eight
        game = league.results / stage / "unlearn/game_unlearned"
        expected["guda"] += seconds(game / "0000") + seconds(game / "0001")
    expected["d_trak"] += seconds(league.results / "models/retrain/anchors/0000")  # its ensemble
    for baseline in ("product", "d_trak", "guda"):
        expected[baseline] += json.loads((league.results / f"baselines/{baseline}.json").read_text())["seconds"]
    for method, cost in expected.items():
        assert found[method] == pytest.approx(cost, abs=0.11)
    curve = [row for row in rows(league.results / "evaluation/fid/cost.csv") if row["method"] == "ridge"]
    assert [int(row["subsets"]) for row in curve] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert float(curve[-1]["seconds"]) == pytest.approx(found["ridge"], abs=0.11)
    assert np.all(np.diff([float(row["seconds"]) for row in curve]) > 0)


def test_gradients_are_of_the_models_and_sets_that_were_asked_for(league: Workspace) -> None:
    """The full model; two retrained models of everyone."""
    for name, models in (("loss", 1), ("square", 2)):
        order = json.loads((league.results / "gradients" / name / "manifest.json").read_text())["order"]
        digests = {
            entry: json.loads((league.results / "gradients" / name / entry / "manifest.json").read_text())["files"]
            for entry in order
        }
        assert {entry.split("-")[0] for entry in order} == {f"{model:02d}" for model in range(models)}
        assert len({str(files) for files in digests.values()}) == len(order)
        sets = {"data", "generated", "path"} if name == "loss" else {"data", "generated"}
        assert {entry.split("-")[1] for entry in order} == sets


def test_unlearned_models_say_how_much_less_likely_images_become(league: Workspace) -> None:
    """The mean over two trainings without somebody, less the full model, and then over seven images; or the highest."""
    members, _, _ = table(league, "fid/unlearn_game_unlearned.csv")
    assert (members.sum(axis=1) == 4).all() and (~members).sum(axis=0).tolist() == [2] * 5

    def bounds(*parts: str) -> np.ndarray:
        return load_file(league.results.joinpath("bounds/guda", *parts, "losses.safetensors"))["generated"]

    full = bounds("full/everyone/0000/everyone-0")
    found = np.array([])
    for batch in ("0000", "0001"):
        made = league.results / "models/unlearn/game_unlearned" / batch / "manifest.json"
        each = [bounds("unlearn/game_unlearned", batch, entry) for entry in json.loads(made.read_text())["order"]]
        found = np.array([*found, *each])
    assert full.shape == (7,) and (full > 0).all()
    differences = np.array([found[~members[:, i]].mean(axis=0) - full for i in range(5)])
    scores = rows(league.results / "baselines/guda.csv")
    for how, expected in (("mean", differences.mean(axis=1)), ("max", differences.max(axis=1))):
        assert [float(row[f"{how} over generated images"]) for row in scores] == pytest.approx(list(expected))


def test_told_subsets_show_only_their_contributors(league: Workspace) -> None:
    """Single contributors differ from each other, and nobody's images are those of an untrained network."""
    members, values, _ = table(league, "fid/conditional_game_told.csv")
    assert len(np.unique(values)) > len(np.unique(members, axis=0)) // 2
    folders = league.results / "images/conditional/everyone/0000"
    found = {path.name: (path / "images.zip").read_bytes() for path in folders.iterdir() if path.is_dir()}
    assert set(found) == {"empty", *(f"contributor-{i}" for i in range(5))}
    assert len(set(found.values())) == 6


def test_other_guidance_draws_again_and_trains_nothing(league: Workspace) -> None:
    before = league.config["regimes"]["conditional"]
    league.config["regimes"]["conditional"] = {**before, "guidance": 3.0}
    planned = league.planned("results/tiny/utilities/fid/conditional_game_told.csv")
    league.config["regimes"]["conditional"] = before
    assert planned["generate_by_contributor"] == 1
    assert not {"train_models", "generate_images"} & set(planned)


def test_a_second_run_has_nothing_to_do_and_an_edit_of_a_score_reruns_no_gradient(league: Workspace) -> None:
    assert league.planned(*TARGETS) == {}
    league.config["baselines"]["d_trak"]["damping"] = [0.1, 5.0]
    planned = league.planned(*TARGETS)
    assert {"score_baseline", "attribute_by_baseline", "evaluate_league"} <= set(planned)
    assert planned["score_baseline"] == 1
    assert not {"compute_gradients", "attribute_contributors"} & set(planned)
