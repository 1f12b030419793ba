"""Mistakes in a study's configuration: one clear sentence for each, which names the key."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from studies import tiny_config

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.yaml_files import read_yaml
from diffusion_credit.study.config import read_study


def put(*keys: Any) -> Callable[[dict[str, Any]], None]:
    *path, last, value = keys

    def change(config: dict[str, Any]) -> None:
        for key in path:
            config = config[key]
        config[last] = value

    return change


def drop(*keys: str) -> Callable[[dict[str, Any]], None]:
    *path, last = keys

    def change(config: dict[str, Any]) -> None:
        for key in path:
            config = config[key]
        del config[last]

    return change


CONFIGS = {
    "missing key": (drop("seed"), "config: seed: not found"),
    "missing nested key": (drop("training", "steps"), "config: training.steps: not found"),
    "missing empty": (drop("design", "empty"), "config: design.empty: not found"),
    "missing source": (drop("data", "source"), "config: data.source: not found"),
    "unknown key": (put("colour", 1), "config: colour: found an unknown key"),
    "misspelt key": (lambda config: config["training"].update(learning_rte=config["training"].pop("learning_rate")), "config: training.learning_rte: found an unknown key"),
    "unknown nested key": (put("design", "subset", 3), "config: design.subset: found an unknown key"),
    "unknown option of the source": (put("data", "path", "x"), "data.path: found an unknown key"),
    "text for a number": (put("training", "steps", "many"), "config: training.steps: found 'many', expected a valid integer"),
    "yaml's 1e-4": (put("training", "learning_rate", "1e-4"), "training.learning_rate: found '1e-4', expected a valid number (YAML takes 1e-4 for text; write 1.0e-4)"),
    "fraction of a step": (put("training", "steps", 2.5), "config: training.steps: found 2.5"),
    "negative steps": (put("regimes", "sparse", "steps", -1), "regimes.sparse.steps: found -1, expected greater than"),
    "a change of nobody": (put("changes", [{"left": []}]), "config: changes.0.left: found nobody, nor in joined"),
    "a name twice in a change": (put("changes", [{"joined": ["Zoe", "Zoe"]}]), "changes.0.joined: found 'Zoe' twice"),
    "left and joined at once": (put("changes", [{"left": ["Zoe"], "joined": ["Zoe"]}]), "found 'Zoe', who is also in left, expected two changes"),
    "a number for a name": (put("changes", [{"left": [7]}]), "config: changes.0.left.0: found 7, expected a valid string"),
    "infinite rate": (put("training", "learning_rate", float("inf")), "training.learning_rate: found inf"),
    "a list for a section": (put("model", [1, 2]), "config: model: found [1, 2], expected a section of keys and values"),
    "unknown source": (put("data", "source", "imagenet"), "config: data.source: found 'imagenet', expected one of 'digits'"),
    "unknown property": (put("properties", "fid", "kind", "fdi"), "found 'fdi', expected one of"),
    "unknown solver": (put("generation", "solver", "euler"), "generation.solver: found 'euler', expected 'dpm_solver++'"),
    "unknown extractor": (put("properties", "fid", "extractor", "clip"), "properties.fid.extractor: found 'clip', expected a name below extractors: classifier"),
    "unknown estimator of the top": (put("evaluation", "counterfactual", "estimator", "best"), "counterfactual.estimator: found 'best'"),
    "no property": (put("properties", {}), "config: properties: found {}"),
    "batches do not divide": (put("design", "subsets", 15), "design.subsets: found 15, expected a multiple of batch_size = 8"),
    "widths and groups": (put("model", "channels", [8, 15]), "model.channels: found [8, 15], expected multiples of norm_groups"),
    "attention beyond the levels": (put("model", "attention", [5]), "model.attention: found [5]"),
    "pruned to nothing": (put("pruning", "ratio", 1), "pruning.ratio: found 1, expected less than 1"),
    "study name is a path": (put("study", "../../etc"), "config: study: found '../../etc', expected a name made of"),
    "property name is a path": (put("properties", "a/b", {"kind": "fid", "extractor": "classifier"}), "expected a name made of"),
    "finetune used and not given": (drop("regimes", "finetune"), "regimes.finetune: not found"),
    "alpha twice": (put("evaluation", "lds", "alphas", [0.5, 0.5]), "evaluation.lds.alphas: found [0.5, 0.5]"),
    "one retraining": (put("evaluation", "lds", "replicates", 1), "lds.replicates: found 1, expected greater than or equal to 2"),
    "more clusters than images": (put("properties", "cluster_entropy", "clusters", 50), "clusters: found 50, expected at most"),
    "negative alpha": (put("evaluation", "lds", "alphas", [-0.5]), "evaluation.lds.alphas.0: found -0.5"),
    "one anchor": (put("design", "anchors", 1), "design.anchors: found 1"),
    "infinite rate of the classifier": (put("extractors", "classifier", "learning_rate", float("inf")), "learning_rate: found inf"),
    "more solver steps than timesteps": (put("generation", "steps", 2000), "generation.steps: found 2000, expected at most"),
    "more splits than images": (put("properties", "inception_score", "splits", 99), "inception_score.splits: found 99"),
    "an estimator named as a baseline": (put("estimators", "image_count", {"kind": "paper"}), "found the name image_count"),
    "exact from a sample": (put("estimators", "exact", {"kind": "exact"}), "design.kind: found paired-stratified, expected one of all for the estimator exact"),
    "all subsets and held-out ones": (put("design", "kind", "all"), "design.kind: found all, expected"),
    "owen without groups": (lambda config: (config["design"].update(kind="owen"), config.update(estimators={"ridge": {"kind": "owen"}})), "config: groups: not found, expected the groups that the estimator ridge credits first"),
    "an unknown design": (put("design", "kind", "best"), "config: design.kind: found 'best', expected 'paired-stratified', 'paper'"),
    "alpha of a penalty": (put("estimators", "beta", {"kind": "beta-shapley", "alpha": 0}), "estimators.beta.alpha: found 0, expected greater than 0"),
    "unknown device": (put("device", "tpu"), "config: device: found 'tpu', expected 'cpu' or 'cuda'"),
}  # fmt: skip


def complaint_about(change: Callable[[dict[str, Any]], None]) -> str:
    """What is said of the tests' study after a change."""
    config = tiny_config()
    change(config)
    with pytest.raises(UserError) as caught:
        read_study(config)
    return str(caught.value)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_malformed_config_is_one_sentence(name: str) -> None:
    change, complaint = CONFIGS[name]
    found = complaint_about(change)
    assert complaint in found
    assert len(found.splitlines()) == 1


HINTS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "thousands": (put("training", "steps", "10,000"), "config: training.steps: found '10,000', expected a valid integer (write 10000)"),
    "more thousands": (put("training", "steps", "1 000 000"), "config: training.steps: found '1 000 000', expected a valid integer (write 1000000)"),
    "a decimal comma": (put("training", "learning_rate", "0,5"), "config: training.learning_rate: found '0,5', expected a valid number (write 0.5)"),
    "a share in percent": (put("evaluation", "counterfactual", "share", "40%"), "config: evaluation.counterfactual.share: found '40%', expected a valid number (write 0.4)"),
    "an exponent": (put("training", "learning_rate", "1e-4"), "config: training.learning_rate: found '1e-4', expected a valid number (YAML takes 1e-4 for text; write 1.0e-4)"),
    "an exponent without sign": (put("training", "learning_rate", "2.5E3"), "config: training.learning_rate: found '2.5E3', expected a valid number (YAML takes 2.5E3 for text; write 2.5e+3)"),
    "an exponent of a whole number": (put("training", "steps", "1e4"), "config: training.steps: found '1e4', expected a valid integer (write 10000)"),
    "no number": (put("training", "steps", "many"), "config: training.steps: found 'many', expected a valid integer"),
    "half a step": (put("training", "steps", "10.5"), "config: training.steps: found '10.5', expected a valid integer"),
    "a misspelt section": (put("trainings", {}), "config: trainings: found an unknown key, expected only the keys listed in config/README.md; did you mean training?"),
    "a misspelt key": (put("regimes", "sparse", "learning_rat", 1), "config: regimes.sparse.learning_rat: found an unknown key, expected only the keys listed in config/README.md; did you mean learning_rate?"),
    "a misspelt key of a kind": (put("properties", "fid", {"kind": "fid", "extracter": "classifier"}), "config: properties.fid.extracter: found an unknown key, expected only the keys listed in config/README.md; did you mean extractor?"),
    "a key of another kind": (put("properties", "fid", "cluster", 3), "config: properties.fid.cluster: found an unknown key, expected only the keys listed in config/README.md"),
    "nothing like it": (put("xyzzy", 1), "config: xyzzy: found an unknown key, expected only the keys listed in config/README.md"),
}  # fmt: skip


@pytest.mark.parametrize("name", HINTS)
def test_a_hint_says_what_was_probably_meant(name: str) -> None:
    change, sentence = HINTS[name]
    assert complaint_about(change) == sentence


def test_numbers_of_the_command_line_are_numbers_and_texts_stay_texts() -> None:
    """Snakemake reads every number inside of `--config 'key={...}'` as text."""
    told = {
        "design": {"subsets": "16", "batch_size": "4"},
        "training": {"learning_rate": "0.5"},
        "estimators": {"ridge": {"kind": "owen"}},
        "evaluation": {"lds": {"alphas": ["0.4", "0.6"]}},
        "groups": {"a": ["1", "2"]},
    }
    config = tiny_config()
    config["evaluation"]["lds"] = config["evaluation"]["lds"] | told["evaluation"]["lds"]
    for key in ("design", "training"):
        config[key] = config[key] | told[key]
    config["groups"], config["estimators"] = told["groups"], told["estimators"]
    config["design"]["kind"] = "owen"
    study = read_study(config, told)
    assert (study.design.subsets, study.design.batch_size, study.training.learning_rate) == (16, 4, 0.5)
    assert study.evaluation.lds.alphas == [0.4, 0.6]
    assert study.groups == {"a": ["1", "2"]}
    with pytest.raises(UserError, match=r"found '0\.5', expected a valid number \(write 0\.5\)"):
        read_study(config)  # of a file, where quotes say that it is a text
    config["design"]["subsets"] = "many"
    with pytest.raises(UserError, match=r"design\.subsets: found 'many'"):
        read_study(config, told | {"design": {"subsets": "many"}})


@pytest.mark.parametrize("text", ["@n", "%12", ">10", "[16", "*", "2024-02-30", "{", "many"])
def test_a_text_that_is_no_number_stays_what_was_found(text: str) -> None:
    config = tiny_config()
    config["design"]["subsets"] = text
    with pytest.raises(UserError, match=r"config: design\.subsets: found .* expected a valid integer"):
        read_study(config, {"design": {"subsets": text}})


def test_a_number_that_a_scale_hides_ends_in_a_sentence() -> None:
    config = {**tiny_config(), "seed": "1", "scale": "quick", "scales": {"quick": {"seed": "1"}}}
    with pytest.raises(UserError, match="config: seed: found '1', expected a valid integer"):
        read_study(config, config)


@pytest.mark.parametrize(
    "text", ["study: 2024-02-30\n", "x: !!int abc\n", "[" * 5000, "a: b: c\n", "\x00", "- 1\n", ""]
)
def test_a_file_that_is_no_yaml_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(UserError, match=r"study\.yaml") as caught:
        read_yaml(tmp_path / "study.yaml")
    assert len(str(caught.value).splitlines()) == 1
