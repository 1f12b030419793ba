"""A dead adapter, an ignored text and a wrong scale give finite numbers all the same: learning.csv names each."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pipelines import PROCESS, announced, write_stable_diffusion

from diffusion_credit.base.seeds import generator
from diffusion_credit.measuring.learning import HEADER, learning
from diffusion_credit.models.checkpoints import build, save_model
from diffusion_credit.models.diffusion import Process
from diffusion_credit.models.inputs import Inputs, encode, read_inputs
from diffusion_credit.models.networks import lora
from diffusion_credit.models.options import Training
from diffusion_credit.models.training import loss_of_image, train

MODEL = {
    "kind": "lora", "family": "stable_diffusion", "base": "base", "base_precision": "float32", "rank": 8,
    "prompt": None, "latent_scale": None,
}  # fmt: skip
DIFFUSION = {"timesteps": 1000, "schedule": "scaled_linear", "prediction": "epsilon", **{
    key: PROCESS[key] for key in ("beta_start", "beta_end")
}}  # fmt: skip
TRAINING = Training(steps=300, batch_size=16, learning_rate=0.01, ema_decay=0.9).model_dump()
OPTIONS = {"network": "lora", "diffusion": DIFFUSION, "batch_size": 10, "seed": 0, "device": "cpu"}
CAPTIONS = ["white paper", "black night"] * 20
PIXELS = np.repeat(np.array([250, 5] * 20, dtype=np.uint8), 16 * 16 * 3).reshape(40, 16, 16, 3)


class Study:
    """Adapters that were trained on white and black images by their captions."""

    def __init__(self, folder: Path, base: Path, scale: float) -> None:
        self.weights, self.folder = {"base": base}, folder
        model = {**MODEL, "latent_scale": scale}
        encode(
            PIXELS,
            {"model": model, "diffusion": DIFFUSION, "device": "cpu"},
            self.weights,
            folder / "inputs",
            CAPTIONS,
        )
        index: Any = SimpleNamespace(pixels_digest="pixels")
        self.inputs = read_inputs(index, PIXELS, folder / "inputs/manifest.json", "cpu")
        self.architecture = lora.architecture(MODEL, self.inputs.shape)

    def train(self) -> Any:
        adapters = build(self.architecture, 1, self.weights)
        predict = lora.denoiser(adapters, self.architecture, self.inputs.conditions, 1)
        images = np.arange(40)
        train(adapters, predict, self.inputs, images, DIFFUSION, TRAINING, 4, self.folder / "state", "key")
        return adapters

    def saved(self, adapters: Any) -> Path:
        config = {"architecture": self.architecture, "diffusion": DIFFUSION, "latents": self.inputs.latents}
        save_model(self.folder / "full", adapters, config, {})
        return self.folder / "full"

    def rows(self, adapters: Any, inputs: Inputs | None = None) -> dict[str, dict[str, Any]]:
        rows = learning(self.saved(adapters), inputs or self.inputs, self.weights, OPTIONS)
        return {row[0]: dict(zip(HEADER, row, strict=True)) for row in rows}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return announced(write_stable_diffusion(tmp_path_factory.mktemp("base") / "sd"))


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory, base: Path) -> float:
    """Of latents with a standard deviation of 1."""
    return 1 / float(Study(tmp_path_factory.mktemp("unscaled"), base, scale=1.0).inputs.images.std())


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, base: Path, scale: float) -> Study:
    return Study(tmp_path_factory.mktemp("study"), base, scale)


@pytest.fixture(scope="module")
def adapters(study: Study) -> Any:
    return study.train()


def test_a_model_that_learnt_has_shares_above_zero_and_no_note(study: Study, adapters: Any) -> None:
    found = study.rows(adapters)
    for name in ("share_of_loss_that_training_removes", "share_of_loss_that_text_removes"):
        assert found[name]["low"] > 0, found
    assert found["deviation_of_latents"]["value"] == pytest.approx(1, abs=1e-4)
    assert not any(row["note"] for row in found.values()), found


def test_the_loss_is_that_of_each_image_alone(study: Study, adapters: Any) -> None:
    """Its interval is the t interval of a mean over the 40 images, each at ten timesteps."""
    found = study.rows(adapters)["loss"]

    predict = lora.denoiser(adapters.eval(), study.architecture, study.inputs.conditions, 1)
    process, times = Process(DIFFUSION, "cpu"), [50 + 100 * k for k in range(10)]
    assert study.inputs.labels is not None
    losses = np.array([
        loss_of_image(predict, process, x, times, generator(0, "learning", i), 64, study.inputs.labels[i])
        for i, x in enumerate(study.inputs.images)
    ])  # fmt: skip
    assert found["value"] == pytest.approx(losses.mean(), rel=1e-5)
    quantile = 2.0226909  # of t with 39 degrees of freedom at .975
    assert found["high"] - found["value"] == pytest.approx(quantile * losses.std(ddof=1) / 40**0.5, rel=1e-4)


def test_a_dead_adapter_is_named(study: Study) -> None:
    dead = build(study.architecture, 7, study.weights)  # they change nothing yet
    row = study.rows(dead)["share_of_loss_that_training_removes"]
    assert (row["value"], row["low"], row["high"]) == (0, 0, 0)
    assert row["note"].startswith("the loss is as low before the training")


def test_a_text_that_is_ignored_is_named(study: Study, adapters: Any) -> None:
    """Every text is told as the empty one, as by an encoder whose outputs are dropped."""
    deaf = {name: rows[:1].expand_as(rows).contiguous() for name, rows in study.inputs.conditions.items()}
    found = study.rows(adapters, replace(study.inputs, conditions=deaf))
    row = found["share_of_loss_that_text_removes"]
    assert (row["value"], row["low"], row["high"]) == (0, 0, 0)
    assert row["note"].startswith("the loss is as low when images are told another text")
    assert not found["share_of_loss_that_training_removes"]["note"]


@pytest.mark.parametrize("factor", [0.05, 20.0])
def test_a_wrong_scale_of_latents_is_named(
    adapters: Any, tmp_path: Path, base: Path, scale: float, factor: float
) -> None:
    wrong = Study(tmp_path, base, factor * scale)
    row = wrong.rows(adapters)["deviation_of_latents"]
    assert row["value"] == pytest.approx(factor, rel=1e-3)
    assert "model.latent_scale" in row["note"]


def test_a_single_prompt_is_compared_with_the_empty_text(study: Study, adapters: Any) -> None:
    assert study.inputs.labels is not None
    one = replace(study.inputs, labels=torch.full_like(study.inputs.labels, int(study.inputs.labels[0])))
    told_other = replace(study.inputs, labels=torch.zeros_like(study.inputs.labels))
    own, other = (study.rows(adapters, inputs)["loss"]["value"] for inputs in (one, told_other))
    row = study.rows(adapters, one)["share_of_loss_that_text_removes"]
    assert row["value"] == pytest.approx((other - own) / other, rel=1e-4)
    deaf = {name: rows[:1].expand_as(rows).contiguous() for name, rows in one.conditions.items()}
    row = study.rows(adapters, replace(one, conditions=deaf))["share_of_loss_that_text_removes"]
    assert (row["value"], row["note"]) == (0, "")  # there is nothing else that it could be told
