"""A study's lists of subsets, and what its rules need, counted by hand."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from studies import TRAINING, tiny_config

from diffusion_credit.study import costs, plan
from diffusion_credit.study.config import Study, read_study
from diffusion_credit.study.needs import Needs
from diffusion_credit.study.paths import Paths
from diffusion_credit.study.subset_lists import SubsetList, lists

ROOT = Path(__file__).parents[3]
R = "results/tiny"


@pytest.fixture
def league() -> Study:
    """The tiny study with a property, games, baselines and a league in which every method's top is removed."""
    config = tiny_config()
    config["properties"] = {"fid": config["properties"]["fid"]}
    config["regimes"]["conditional"] = TRAINING
    config |= {
        "games": {
            "alone": {"kind": "add-one-in", "regime": "sparse", "subsets": 5},
            "told": {"kind": "datamodel", "alpha": 0.4, "regime": "conditional", "subsets": 16},
        },
        "estimators": {
            "ridge": {"kind": "ridge"},
            "add_one_in": {"kind": "add-one-in", "game": "alone"},
            "told": {"kind": "datamodel", "game": "told"},
        },
        "gradients": {"square": {"output": "squared_l2", "models": "retrained"}},
        "baselines": {
            "pixels": {"kind": "similarity"},
            "d_trak": {"kind": "gradients", "gradients": "square", "score": "trak"},
        },
    }
    config["evaluation"]["tuning"] = {"subsets": 5, "alpha": 0.4}
    config["evaluation"]["counterfactual"]["every_method"] = True
    return read_study(config)


def local_study(**edits: Any) -> Study:
    study = yaml.safe_load((ROOT / "config/studies/dtrak_digits.yaml").read_text())
    study["local"] |= edits
    return read_study(study)


def test_the_lists_of_a_study_of_contributors(league: Study) -> None:
    reserved = {"alphas": [0.5], "changes": []}
    removal = {"share": 0.4, "replicates": 2}
    rivals = ["add_one_in", "told", "pixels", "d_trak"]
    assert [*lists(league).values()] == [
        SubsetList("everyone", 1, {"list": "everyone"}),
        SubsetList("sampled", 8, {"list": "sampled", "kind": "paired-stratified", "groups": {}, **reserved}),
        SubsetList("anchors", 2 * 2, {"list": "anchors", "replicates": 2}),
        SubsetList("game_alone", 5, {"list": "sampled", "kind": "add-one-in", "groups": {}, **reserved}),
        SubsetList("game_told", 16, {"list": "sampled", "kind": "datamodel", "alpha": 0.4, "groups": {}, **reserved}),
        SubsetList("tuning", 5, {"list": "tuning", "alpha": 0.4, **reserved}),
        SubsetList("held_out_0.5", 4 * 2, {"list": "held_out", "alpha": 0.5, "replicates": 2, **reserved}),
        SubsetList(
            "counterfactual_fid", 3 * 2, {"list": "counterfactual", **removal}, ["attribution/fid/ridge.csv"], "fid"
        ),
        SubsetList(
            "without_top_fid",
            4 * 2,  # rivals times trainings
            {"list": "without_top", "methods": rivals, **removal},
            [f"attribution/fid/{name}.csv" for name in rivals],
            "fid",
        ),
    ]


def test_the_lists_of_a_study_of_images() -> None:
    study = local_study()
    found = lists(study)
    # 32 held-out subsets of 2 trainings, 16 to choose lambda, 12 images without the best of 6 methods, or of chance
    removed = {f"without_{name}": 12 for name in [*study.baselines, "random"]}
    assert {name: each.rows for name, each in found.items()} == {
        "everyone": 1,
        "held_out_0.5": 32 * 2,
        "tuning": 16,
    } | removed
    assert {name for name, each in found.items() if each.by_losses} == {"held_out_0.5", "tuning"}
    assert found["without_random"].ranked_by == []
    assert found["without_d_trak"].ranked_by == ["local/d_trak/scores.safetensors"]
    assert found["without_d_trak"].options == found["without_random"].options
    assert set(lists(local_study(regeneration=None))) == {"everyone", "held_out_0.5", "tuning"}


def test_without_baselines_and_held_out_subsets_there_are_no_lists_of_theirs() -> None:
    config = tiny_config()
    del config["evaluation"]["lds"]
    config["evaluation"]["tuning"] = {}  # for baselines, of which there are none
    properties = ("inception_score", "fid", "cluster_entropy")
    own = [f"counterfactual_{name}" for name in properties]
    study = read_study(config)
    assert [*lists(study)] == ["everyone", "sampled", "anchors", *own]
    # a property is measured on no other property's counterfactual models
    pairs = [("sparse", "sampled"), ("sparse", "anchors"), ("retrain", "anchors")]
    for name in properties:
        assert plan.measured(study, name) == [*pairs, ("retrain", f"counterfactual_{name}")]


def test_a_target_may_take_as_many_subsets_as_its_maximum() -> None:
    config = tiny_config()
    config["design"]["target"] = {"standard_error": {"fid": 0.1}, "estimator": "ridge", "maximum": 24}
    needs = Needs(read_study(config))
    assert needs.lists["sampled"].rows == 24
    assert needs.designs("sampled") == [f"{R}/designs/sampled/{batch}.csv" for batch in ("0000", "0001", "0002")]
    assert needs.designs("sampled", 1) == [f"{R}/designs/sampled/0000.csv"]


def test_batches_are_aligned_and_the_last_holds_the_rest() -> None:
    paths = Paths(local_study(subsets=20, replicates=1))  # in batches of 16
    assert paths.batches("held_out_0.5") == ["0000", "0001"]
    assert [paths.rows("held_out_0.5", batch) for batch in ("0000", "0001")] == [16, 4]


def test_what_each_method_costs(league: Study) -> None:
    needs = Needs(league)

    def of(regime: str, name: str, *batches: str) -> list[str]:
        stages = ("models", "images", "features/classifier")
        return [f"{R}/{stage}/{regime}/{name}/{batch}/manifest.json" for stage in stages for batch in batches]

    refit = [f"{R}/models/refit/everyone/0000/manifest.json"]
    tuned = refit + of("sparse", "tuning", "0000")
    gradients = [f"{R}/gradients/square/manifest.json", f"{R}/models/retrain/anchors/0000/manifest.json"]
    told = of("conditional", "everyone", "0000")
    expected = {
        "ridge": (refit + of("sparse", "anchors", "0000"), of("sparse", "sampled", "0000", "0001")),
        "add_one_in": (refit + of("sparse", "anchors", "0000"), of("sparse", "game_alone", "0000")),
        "told": (told[1:] + told[:1], []),  # one model for all subsets
        "pixels": (tuned, []),
        "d_trak": (tuned + gradients, []),
    }
    assert {name: costs.spent(needs, "fid", name, sampled=2) for name in expected} == expected
    everything = [path for parts in expected.values() for part in parts for path in part]
    about = [f"{R}/baselines/{name}.json" for name in ("pixels", "d_trak")]
    assert costs.all_spent(needs, "fid", sampled=2) == [*dict.fromkeys(everything), *about]

    found = {each["name"]: each for each in costs.league_methods(needs, "fid", sampled=2)}
    assert {name: (each["fixed"], each["each"]) for name, each in found.items()} == expected
    assert found["ridge"]["utilities"] == [f"{R}/utilities/fid.csv"]
    assert found["told"]["utilities"] == [
        f"{R}/utilities/fid/conditional_{name}.csv" for name in ("game_told", "anchors")
    ]
    assert (found["d_trak"]["utilities"], found["d_trak"]["about"]) == ([], about[1])


def test_what_starts_a_regime(league: Study) -> None:
    needs = Needs(league)
    starts = {regime: needs.start(regime) for regime in ("sparse", "finetune", "refit", "retrain", "conditional")}
    assert starts == {
        "sparse": [f"{R}/models/refit/everyone/0000/manifest.json"],
        "finetune": [f"{R}/models/full/everyone/0000/manifest.json"],
        "refit": [f"{R}/models/pruned/everyone/0000/manifest.json"],
        "retrain": [],
        "conditional": [],
    }


def test_tables_of_utilities_and_of_values(league: Study) -> None:
    needs = Needs(league)
    sparse = [f"{R}/utilities/fid/sparse_{name}.csv" for name in ("game_alone", "anchors")]
    told = [f"{R}/utilities/fid/conditional_{name}.csv" for name in ("game_told", "anchors")]
    assert needs.utilities_of_all("fid") == [f"{R}/utilities/fid.csv", *sparse, *told]
    assert needs.held_out("fid", "retrain") == [f"{R}/utilities/fid/retrain_held_out_0.5.csv"]
    assert needs.removed_tops("fid") == [
        f"{R}/utilities/fid/retrain_{name}.csv" for name in ("counterfactual_fid", "without_top_fid")
    ]
    assert needs.attributions() == [
        f"{R}/first_values.txt",
        *(
            f"{R}/attribution/fid/{method}.{kind}"
            for method in ("ridge", "add_one_in", "told", "pixels", "d_trak")
            for kind in ("csv", "png")
        ),
    ]
