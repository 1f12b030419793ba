"""The configuration: the reference lists every option, the shipped studies are valid."""

import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
import yaml
from studies import TRAINING, tiny_config

from diffusion_credit.base import plugins
from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import Section
from diffusion_credit.study.complaints import refuse_repeated_keys
from diffusion_credit.study.config import plain, read_study, recipe
from diffusion_credit.study.config_docs import document
from diffusion_credit.study.needs import Needs
from diffusion_credit.study.plan import used

ROOT = Path(__file__).parents[3]


def test_guda_alone_takes_its_models_and_not_their_images() -> None:
    config = tiny_config()
    config["regimes"]["unlearn"] = config["training"]
    config |= {
        "games": {"without": {"kind": "leave-one-out", "regime": "unlearn", "subsets": 9}},
        "baselines": {"guda": {"kind": "elbo", "game": "without"}},
        "evaluation": {**config["evaluation"], "tuning": {"subsets": 5}},
    }
    study = read_study(config)
    assert not [pair for pair in used(study) if pair[0] == "unlearn"]
    needs = Needs(study)
    of = "results/tiny/bounds/guda"
    batches = [f"{of}/unlearn/game_without/{batch}/manifest.json" for batch in ("0000", "0001")]
    assert needs.bounds("guda") == [f"{of}/full/everyone/0000/manifest.json", *batches]
    assert needs.left_out("guda") == [f"results/tiny/designs/game_without/{batch}.csv" for batch in ("0000", "0001")]


def test_tables_add_their_options_after_those_of_the_scale() -> None:
    """The scale may change what the tables add; without tables, what they add is nothing but data."""
    more = {"estimators": {"more": {"kind": "paper"}}, "training": {"steps": 77}}
    config = tiny_config() | {
        "with_tables": more,
        "scale": "small",
        "scales": {"small": {"seed": 7, "with_tables": {"training": {"batch_size": 5}}}},
    }
    without, chosen = read_study(config), read_study(config | {"tables": True})
    assert (
        read_study(config | {"tables": "true"}, {"tables": "true"}) == chosen
    )  # as Snakemake reads --config tables=true
    assert set(chosen.estimators) - set(without.estimators) == {"more"}
    assert (chosen.seed, chosen.training.steps, chosen.training.batch_size) == (7, 77, 5)
    assert without.training == read_study(tiny_config()).training
    assert recipe(chosen)["with_tables"] == {}
    assert plain(read_study(recipe(chosen)))["estimators"] == plain(chosen)["estimators"]


def test_the_reference_is_made_from_the_models() -> None:
    text = (ROOT / "config/README.md").read_text()
    assert text == document()

    for key in {field.alias or key for model in all_subclasses(Section) for key, field in model.model_fields.items()}:
        assert f"| `{key}` |" in text, key


def all_subclasses(model: type) -> set[type]:
    return {model, *(deeper for sub in model.__subclasses__() for deeper in all_subclasses(sub))}


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_studies_are_valid_and_named_after_their_file(path: Path) -> None:
    study = read_study(yaml.safe_load(path.read_text()))
    assert study.study == (path.stem if path.parent.name == "studies" else "digits")


@pytest.mark.parametrize("scale", ["full", "tiny"])
def test_the_options_in_a_report_make_the_same_study_again(tmp_path: Path, scale: str) -> None:
    own = tmp_path / "own.py"
    own.write_text("HIGHER_IS_BETTER = True\ndef evaluate(folder):\n    return 1.0\n")
    config = tiny_config() | {"scale": scale, "scales": {"tiny": {"seed": 7}}}
    config["properties"]["mine"] = {"kind": "own", "file": str(own)}
    study = read_study(config)
    again = read_study(recipe(study))
    assert (again.study, again.seed) == (study.study, study.seed) == (("tiny", 1), ("tiny_tiny", 7))[scale == "tiny"]
    assert plain(again) | {"scale": scale, "scales": config["scales"]} == plain(study)


def test_the_study_of_the_tutorial_is_valid() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/own_model.md").read_text(), flags=re.DOTALL)
    (text,) = [block for block in blocks if block.startswith("study: my_lora")]
    study = read_study(yaml.safe_load(text))
    assert (study.model.family, study.data.captioned(), study.regimes.sparse.steps) == ("sdxl", True, 100)


def test_the_recipe_of_a_given_model_makes_the_same_study() -> None:
    config = {**tiny_config(), "training": {"from": "mine"}, "model": {"kind": "unet"}, "weights": {"mine": BASE["sd"]}}
    study = read_study(config)
    assert recipe(study)["training"] == {"from": "mine"}
    assert plain(read_study(recipe(study))) == plain(study)


def test_a_scale_may_train_what_is_given_otherwise_and_the_other_way_round() -> None:
    trained = {"training": TRAINING, "model": tiny_config()["model"]}
    given = {"training": {"from": "mine"}, "model": {"kind": "unet", "channels": None, "norm_groups": 32}}
    given["model"]["layers_per_block"] = 2
    for own, other in ((trained, given), (given, trained)):
        config = {**tiny_config(), **own, "weights": {"mine": BASE["sd"]}, "scale": "small", "scales": {"small": other}}
        assert plain(read_study(config).training).get("from") == other["training"].get("from")


def test_every_option_has_a_sentence() -> None:
    for model in all_subclasses(Section):
        for name, field in model.model_fields.items():
            section = isinstance(field.annotation, type) and issubclass(field.annotation, Section)
            assert section or field.description or name in ("kind", "source", "lds", "finetune"), (model, name)


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_conda_environments_have_the_versions_of_the_constraints(name: str) -> None:
    pinned = set((ROOT / "constraints.txt").read_text().split())
    *conda, pip = yaml.safe_load((ROOT / f"envs/{name}.yaml").read_text())["dependencies"]
    versions = {*pip["pip"], *(line.replace("pytorch-cpu=", "torch==") for line in conda if "pytorch" in line)}
    assert versions <= pinned
    assert {version.split("==")[0] for version in versions} >= {"torch", "diffusers", "torch-pruning", "snakemake"}


ADAPTERS = {"kind": "lora", "base": "sd", "rank": 16, "prompt": "a painting"}
BASE = {"sd": {"folder": "sd"}}
TEXTS = {"weights": BASE, "model": ADAPTERS}
UNPROMPTED = {"kind": "lora", "base": "sd", "rank": 4}
CAPTIONED = {"source": "image_folder", "path": "x", "size": 8, "captions": True}
DRAWN = tiny_config()["generation"]
PAYOUT = {"amount": 100, "currency": "EUR", "property": "fid", "estimator": "ridge", "negative": "clip"}
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "scales is no section": ({"scale": "tiny", "scales": None}, "scales: found None, expected a section"),
    "a scale is no section": (
        {"scale": "tiny", "scales": {"tiny": None}},
        "scales.tiny: found None, expected a section",
    ),
    "scale is a list": ({"scale": ["tiny"]}, "scale: found ['tiny'], expected a valid string"),
    "unknown scale": ({"scale": "tny", "scales": {"tiny": {}}}, "scale: found 'tny', expected one of ['full', 'tiny']"),
    "key named like its kind": ({"model": {"kind": "lora", "lora": "x"}}, "model.lora: found an unknown key"),
    "misspelt kind": ({"model": {"kind": "Lora"}}, "model.kind: found 'Lora', expected one of 'unet', 'dit', 'lora'"),
    "no weights": ({"model": ADAPTERS}, "model.base: found 'sd', expected a name below weights: there is none"),
    "no prompt": ({"model": {**ADAPTERS, "prompt": ""}}, "model.prompt: found '', expected at least one"),
    "neither prompt nor captions": (
        TEXTS | {"model": UNPROMPTED},
        "model.prompt: not found, expected a text, or captions of the images (data)",
    ),
    "prompt and captions": (
        TEXTS | {"data": CAPTIONED},
        "model.prompt: found together with captions (data), expected only one of them",
    ),
    "captions without prompts": (
        TEXTS | {"data": CAPTIONED, "model": UNPROMPTED},
        "generation.prompts: not found, expected the texts that images are generated for",
    ),
    "captions of a network without prompt": (
        {"data": CAPTIONED},
        "data: found captions, expected none for a model of kind unet",
    ),
    "prompts of a network without prompt": (
        {"generation": {**DRAWN, "prompts": ["a"]}},
        "generation.prompts: found ['a'], expected none for a model of kind unet",
    ),
    "dropped captions of a network without prompt": (
        {"regimes": {"sparse": {**TRAINING, "caption_dropout": 0.1}}},
        "regimes.sparse.caption_dropout: found 0.1, expected 0 for a model of kind unet",
    ),
    "unknown family": (
        TEXTS | {"model": {**ADAPTERS, "family": "sdxl2"}},
        "model.family: found 'sdxl2', expected 'stable_diffusion', 'sdxl', 'sd3' or 'flux'",
    ),
    "prompts that are numbers": (
        TEXTS | {"generation": {**DRAWN, "prompts": [1, 2]}},
        "generation.prompts: found [1, 2], expected a list of texts, or the file",
    ),
    "a prompt that is a number": (
        TEXTS | {"generation": {**DRAWN, "prompts": 3}},
        "generation.prompts: found 3, expected a list of texts, or the file",
    ),
    "no prompts": (
        TEXTS | {"generation": {**DRAWN, "prompts": []}},
        "generation.prompts: found [], expected a list of texts, or the file",
    ),
    "an empty prompt": (
        TEXTS | {"generation": {**DRAWN, "prompts": ["a", " "]}},
        "generation.prompts: found ['a', ' '], expected a list of texts, or the file",
    ),
    "flow with another solver": (
        {"diffusion": {"schedule": "flow"}},
        "generation.solver: found dpm_solver++, expected flow_euler for diffusion.schedule = flow",
    ),
    "its solver without flow": (
        {"generation": {**DRAWN, "solver": "flow_euler"}},
        "generation.solver: found flow_euler, expected another for diffusion.schedule = squaredcos_cap_v2",
    ),
    "flow that predicts noise": (
        {"diffusion": {"schedule": "flow", "prediction": "sample"}},
        "diffusion.prediction: found sample, expected nothing, because the schedule flow does not use it",
    ),
    "shift without flow": (
        {"diffusion": {"shift": 3.0}},
        "diffusion.shift: found 3.0, expected nothing, because the schedule linear does not use it",
    ),
    "parts that do not divide": (
        {"training": {**TRAINING, "accumulation": 3}},
        "training.accumulation: found 3, expected a divisor of batch_size",
    ),
    "no rank pruned": (
        {"model": ADAPTERS, "weights": BASE, "pruning": {**tiny_config()["pruning"], "ratio": 0.01}},
        "pruning.ratio: found 0.01, which keeps 16 of 16 ranks",
    ),
    "given by no weights": (
        {"training": {"from": "mine"}, "model": {"kind": "unet"}},
        "training.from: found 'mine', expected a name below weights: there is none",
    ),
    "given and trained": (
        {"training": {"from": "sd", "steps": 3}, "model": {"kind": "unet"}, "weights": BASE},
        "training.steps: found an unknown key",
    ),
    "given by a number": ({"training": {"from": 3}}, "training.from: found 3, expected a valid string"),
    "a mistake in a training": (
        {"training": {"steps": 0, "batch_size": 8, "learning_rate": 0.1}},
        "training.steps: found 0, expected greater than or equal to 1",
    ),
    "no training": ({"training": {}}, "training.steps: not found, expected a value"),
    "given and described": (
        {"training": {"from": "sd"}, "weights": BASE},
        "model.channels: found together with training.from, expected only one of them",
    ),
    "given adapters of a rank": (
        {"training": {"from": "sd"}, "weights": BASE, "model": ADAPTERS},
        "model.rank: found together with training.from",
    ),
    "no widths": ({"model": {"kind": "unet"}}, "model.channels: not found, expected a value"),
    "no rank": (
        {"model": {k: v for k, v in ADAPTERS.items() if k != "rank"}, "weights": BASE},
        "model.rank: not found",
    ),
    "guided without a prompt": (
        {"generation": {**tiny_config()["generation"], "guidance": 7.5}},
        "generation.guidance: found 7.5, expected 1 for a model of kind unet",
    ),
    "half a cent": (
        {"payout": {**PAYOUT, "amount": 10.005}},
        "payout.amount: found 10.005, expected two decimals at most",
    ),
    "no rule for negative values": (
        {"payout": {k: v for k, v in PAYOUT.items() if k != "negative"}},
        "payout.negative: not found, expected",
    ),
    "a payout by nothing": (
        {"payout": {**PAYOUT, "property": "beauty"}},
        "payout.property: found 'beauty', expected one of cluster_entropy, fid, inception_score",
    ),
    "a property called like a folder of tables": (
        {"properties": {**tiny_config()["properties"], "evaluation": {"kind": "fid", "extractor": "classifier"}}},
        "properties: found the name evaluation, expected another name, because tables of results use this one",
    ),
    "a branch for a commit": (
        {"weights": {"sd": {"hub": "a/b", "revision": "main"}}},
        "weights.sd.revision: found 'main', expected the hash of a commit, 40 digits",
    ),
    "an address for a name": (
        {"weights": {"sd": {"hub": "http://a"}}},
        "weights.sd.hub: found 'http://a', expected owner/",
    ),
    "unknown score": (
        {"properties": {"best": {"kind": "percentile", "extractor": "classifier", "of": "best", "percent": 90}}},
        "properties.best.of: found 'best', expected a score of classifier: confidence",
    ),
}


PIXELS = {"pixels": {"kind": "similarity"}}
TUNED = {**tiny_config()["evaluation"], "tuning": {"subsets": 5}}
ALONE = {"alone": {"kind": "add-one-in", "regime": "sparse", "subsets": 5}}
D_TRAK = {"d_trak": {"kind": "gradients", "gradients": "square", "score": "trak"}}
SQUARE = {"output": "squared_l2"}
MISTAKES |= {
    "baselines without tuning": (
        {"baselines": PIXELS},
        "evaluation.tuning: not found, expected this section, because baselines choose their variants by it",
    ),
    "baselines that nothing judges": (
        {"baselines": PIXELS, "evaluation": {k: v for k, v in TUNED.items() if k != "lds"}},
        "baselines: found without evaluation.lds, expected both",
    ),
    "a baseline called like a row of the league": (
        {"baselines": {"noise_floor": {"kind": "similarity"}}, "evaluation": TUNED},
        "baselines: found the name noise_floor",
    ),
    "a payout by what has no unit": (
        {"baselines": PIXELS, "evaluation": TUNED, "payout": {**PAYOUT, "estimator": "pixels"}},
        "payout.estimator: found 'pixels', expected one of paper, ridge",
    ),
    "no such gradients": (
        {"baselines": D_TRAK, "evaluation": TUNED},
        "baselines.d_trak.gradients: found 'square', expected a name below gradients: there is none",
    ),
    "a projection that has no four equal parts": (
        {"gradients": {"square": {**SQUARE, "projection": 10}}},
        "gradients.square.projection: found 10, expected a multiple of 4",
    ),
    "a path that was not asked for": (
        {
            "baselines": {"j": {**D_TRAK["d_trak"], "along": "path"}},
            "gradients": {"square": SQUARE},
            "evaluation": TUNED,
        },
        "gradients.square.path: found false, expected true, because baselines.j takes gradients along the path",
    ),
    "no lambda": (
        {"baselines": {"d": {**D_TRAK["d_trak"], "damping": [0.0]}}},
        "baselines.d.damping: found [0.0], expected numbers above 0",
    ),
    "checkpoints that nobody keeps": (
        {"gradients": {"square": {**SQUARE, "models": "checkpoints"}}},
        "training.checkpoints: found 0, expected 1 or more, because gradients.square takes them",
    ),
    "checkpoints that nobody reads": (
        {"regimes": {**tiny_config()["regimes"], "sparse": {**tiny_config()["training"], "checkpoints": 1}}},
        "regimes.sparse.checkpoints: found 1, expected 0",
    ),
    "no truth": (
        {"regimes": {key: value for key, value in tiny_config()["regimes"].items() if key != "retrain"}},
        "regimes.retrain: not found, expected the options of this regime, because the study uses it",
    ),
    "no sparse models, though fidelity is asked for": (
        {"regimes": {key: value for key, value in tiny_config()["regimes"].items() if key != "sparse"}},
        "regimes.sparse: not found, expected the options of this regime, because the study uses it",
    ),
    "a game that nobody plays": (
        {"games": ALONE},
        "games.alone: found no estimator or baseline with game: alone, expected one",
    ),
    "an estimator of no game": (
        {"estimators": {"ridge": {"kind": "ridge", "game": "alone"}}},
        "estimators.ridge.game: found 'alone', expected a name below games: there is none",
    ),
    "a game without the subsets that are needed": (
        {"games": ALONE, "estimators": {"ridge": {"kind": "ridge"}, "loo": {"kind": "leave-one-out", "game": "alone"}}},
        "games.alone.kind: found add-one-in, expected one of leave-one-out, all for the estimator loo",
    ),
    "GUDA without a game": (
        {"baselines": {"guda": {"kind": "elbo", "game": "gone"}}, "evaluation": TUNED},
        "baselines.guda.game: found 'gone', expected a name below games: there is none",
    ),
    "GUDA by models that unlearn nothing": (
        {
            "baselines": {"guda": {"kind": "elbo", "game": "alone"}},
            "games": ALONE,
            "estimators": {"ridge": {"kind": "ridge"}, "aoi": {"kind": "add-one-in", "game": "alone"}},
            "evaluation": TUNED,
        },
        "baselines.guda.game: found a game of kind add-one-in in the regime sparse, expected kind leave-one-out in a"
        " regime that unlearns: gradient_ascent, influence, unlearn",
    ),
    "tables without a section": ({"tables": True}, "with_tables: found nothing, expected options, because tables is"),
    "tables that are no switch": ({"tables": "yes"}, "tables: found 'yes', expected a valid boolean"),
    "options of tables that are none": (
        {"tables": True, "with_tables": [1]},
        "with_tables: found [1], expected a section",
    ),
    "tables of another scale": (
        {"tables": True, "with_tables": {"scale": "tiny"}},
        "with_tables: found scale, expected other options, because these choose the study",
    ),
    "published numbers that nothing is put beside": (
        {"published": "papers.csv", "evaluation": {k: v for k, v in tiny_config()["evaluation"].items() if k != "lds"}},
        "published: found without evaluation.lds, expected both",
    ),
    "an unknown option of tables": (
        {"tables": True, "with_tables": {"colour": 1}},
        "colour: found an unknown key",
    ),
    "only games": (
        {"games": ALONE, "estimators": {"ridge": {"kind": "add-one-in", "game": "alone"}}},
        "estimators: found only estimators with a game, expected at least one without",
    ),
    "a transformer without a width": ({"model": {"kind": "dit"}}, "model.width: not found, expected a value"),
    "heads that do not divide the width": (
        {"model": {"kind": "dit", "width": 32, "heads": 3}},
        "model.heads: found 3, expected a divisor of width = 32",
    ),
    "a transformer that says again what is given": (
        {"training": {"from": "sd"}, "weights": BASE, "model": {"kind": "dit", "layers": 2}},
        "model.layers: found together with training.from, expected only one of them",
    ),
    "a transformer that keeps all": (
        {"model": {"kind": "dit", "width": 16}, "pruning": {**tiny_config()["pruning"], "ratio": 0.005}},
        "pruning.ratio: found 0.005, but rounding to whole heads and units of the MLPs removes only 0%",
    ),
    "guidance away from what was never seen": (
        {"regimes": {**tiny_config()["regimes"], "conditional": {**tiny_config()["training"], "guidance": 2.0}}},
        "regimes.conditional.caption_dropout: found 0, expected more, because guidance leans away from images",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_by_its_key(name: str) -> None:
    changes, sentence = MISTAKES[name]
    with pytest.raises(UserError) as caught:
        read_study(tiny_config() | changes)
    assert str(caught.value).startswith(f"config: {sentence}")


def test_eight_bits_without_their_package_are_refused_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(plugins, "version", missing)
    assert plugins.packages_of_training({"optimizer": "adamw"}) == {}
    with pytest.raises(UserError, match=r"adamw_8bit: the package bitsandbytes was not found, .*\[adam8bit\]"):
        plugins.packages_of_training({"optimizer": "adamw_8bit"})


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Of two, YAML would keep the last and say nothing."""
    file = tmp_path / "study.yaml"
    file.write_text("a: &x {kind: 1}\nb: {<<: *x, c: [{d: 1}, {d: 2}]}\nproperties:\n  fid: 1\n  kid: 2\n  fid: 3\n")
    with pytest.raises(
        UserError, match=r"properties\.fid: found a second time \(.*study\.yaml, line 6\), expected once"
    ):
        refuse_repeated_keys(file)
    for shipped in [*ROOT.glob("config/*.yaml"), *ROOT.glob("config/studies/*.yaml")]:
        refuse_repeated_keys(shipped)


def test_a_study_needs_no_section_of_a_regime_that_it_does_not_use() -> None:
    config = tiny_config()
    config["design"]["regime"] = "retrain"
    config["evaluation"]["lds"]["regimes"] = []
    del config["regimes"]["sparse"]
    assert read_study(config).regimes.sparse is None
