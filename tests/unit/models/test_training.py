"""Training: resumes bit-identically, forgets its starting point, reaches its learning rate."""

from pathlib import Path

import numpy as np
import pytest
import torch

from diffusion_credit.base.errors import UserError
from diffusion_credit.models import optimising, training
from diffusion_credit.models.checkpoints import LAST, build, checkpoint_file, load_model, save_model
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.networks import unet
from diffusion_credit.models.options import Training

DIFFUSION = dict(
    timesteps=1000, schedule="squaredcos_cap_v2", beta_start=1e-4, beta_end=0.02, prediction="v_prediction"
)
OPTIONS = Training(
    steps=12, batch_size=8, learning_rate=2e-3, warmup=0.25, weight_decay=0.01, ema_decay=0.9, flip=True
).model_dump()
NETWORK = unet.architecture(
    unet.Options(kind="unet", channels=[8], layers_per_block=1, norm_groups=4).model_dump(),
    (1, 8, 8),
)
PIXELS = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (40, 1, 8, 8)).astype(np.float32))
INPUTS = Inputs(PIXELS, None, {}, None, None, "digest")


class Cut(Exception):
    """Stands for a kill."""


def run(state: Path, cut: int | None = None, key: str = "k", **changes: object) -> list[torch.Tensor]:
    torch.set_num_threads(1)
    model = build(NETWORK, 3, {})
    predict = unet.denoiser(model, {}, {}, guidance=1)

    def progress(done: int, steps: int) -> None:
        if done == cut:
            raise Cut

    options = {**OPTIONS, **changes}
    _, checkpoints = training.train(
        model, predict, INPUTS, np.arange(5, 40), DIFFUSION, options, 9, state, key, progress
    )
    return [tensor for part in checkpoints for tensor in part] + [weight.detach() for weight in model.parameters()]


def equal(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimising, "STATE_SECONDS", 0.0)
    monkeypatch.setattr(optimising, "STATE_SHARE", float("inf"))


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("optimizer", ["adamw", "adamw_8bit"])
def test_cut_and_resumed_training_ends_bit_identical(tmp_path: Path, optimizer: str) -> None:
    if optimizer == "adamw_8bit":
        pytest.importorskip("bitsandbytes", reason="8-bit Adam needs bitsandbytes: pip install -e .[adam8bit]")
    undisturbed = run(tmp_path / "a", optimizer=optimizer)
    for cut in (3, 8, 11):
        with pytest.raises(Cut):
            run(tmp_path / "b", cut, optimizer=optimizer)
    done: list[int] = []
    original = optimising.learning_rate
    optimising.learning_rate = lambda options, step: done.append(step) or original(options, step)
    try:
        assert equal(run(tmp_path / "b", optimizer=optimizer), undisturbed)
    finally:
        optimising.learning_rate = original
    assert done == [10, 11]  # the state of step 10 was the last one written


def test_checkpoints_are_the_weights_of_shorter_trainings(tmp_path: Path) -> None:
    """At a constant rate a training of 3 steps is the beginning of one of 12, average and all."""
    found = run(tmp_path / "a", checkpoints=3, decay="constant", warmup=0.0)
    each = len(found) // 4
    for at, steps in enumerate((3, 6, 9, 12)):
        alone = run(tmp_path / "b", steps=steps, decay="constant", warmup=0.0)
        assert equal(found[at * each : (at + 1) * each], alone)


@pytest.mark.usefixtures("eager")
def test_a_resumed_training_has_the_checkpoints_from_before_the_cut(tmp_path: Path) -> None:
    undisturbed = run(tmp_path / "a", checkpoints=2)
    with pytest.raises(Cut):
        run(tmp_path / "b", 7, checkpoints=2)
    assert equal(run(tmp_path / "b", checkpoints=2), undisturbed)


def test_checkpoints_are_saved_beside_the_last_weights(tmp_path: Path) -> None:
    model, rng = build(NETWORK, 3, {}), torch.Generator().manual_seed(0)
    last = [weight.detach().clone() for weight in model.parameters()]
    earlier = [[torch.randn(weight.shape, generator=rng) for weight in last] for _ in range(2)]
    save_model(tmp_path, model, {"architecture": NETWORK, "diffusion": DIFFUSION}, {}, earlier)
    assert equal(list(model.parameters()), last)
    for file, expected in ((checkpoint_file(0), earlier[0]), (checkpoint_file(1), earlier[1]), (LAST, last)):
        loaded, _ = load_model(tmp_path, file=file)
        assert equal(list(loaded.parameters()), expected)


def test_a_network_that_is_told_whose_image_it_sees_learns_whose(tmp_path: Path) -> None:
    """Two contributors, one of black images and one of white ones: asked for either, it draws that one's."""
    images = torch.cat([torch.full((10, 1, 8, 8), -1.0), torch.full((10, 1, 8, 8), 1.0)])
    model = build(unet.conditional(NETWORK, 2), 3, {})
    predict, labels = unet.denoiser(model, {}, {}, guidance=1), torch.tensor([1] * 10 + [2] * 10)
    diffusion, options = {**DIFFUSION, "prediction": "sample"}, {**OPTIONS, "steps": 150, "flip": False}
    inputs = Inputs(images, None, {}, None, None, "digest")
    training.train(model, predict, inputs, np.arange(20), diffusion, options, 9, tmp_path / "s", "k", labels=labels)
    noise = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        black, white = (predict(noise, torch.tensor(999), labels=torch.full((6,), label)) for label in (1, 2))
    assert float(black.mean()) < -0.5 and float(white.mean()) > 0.5


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("change", ["key", "truncated"])
def test_a_foreign_or_damaged_state_is_not_resumed(tmp_path: Path, change: str) -> None:
    state = tmp_path / "s"
    with pytest.raises(Cut):
        run(state, 8)
    if change == "truncated":
        state.write_bytes(state.read_bytes()[:100])
    assert equal(run(state, key="other" if change == "key" else "k"), run(tmp_path / "fresh"))


def test_every_epoch_shows_every_image_once() -> None:
    images = np.arange(100, 107)
    seen = np.concatenate([optimising.batch_of(images, 1, step, 4) for step in range(14)])
    assert seen.reshape(8, 7).shape == (8, 7)
    for epoch in seen.reshape(8, 7):
        assert sorted(epoch) == list(images)
    assert len({tuple(epoch) for epoch in seen.reshape(8, 7)}) > 1


def test_a_short_fine_tune_reaches_its_learning_rate() -> None:
    rates = [optimising.learning_rate({**OPTIONS, "steps": 20}, step) for step in range(20)]
    assert max(rates) > 0.9 * OPTIONS["learning_rate"]
    assert rates[0] == pytest.approx(OPTIONS["learning_rate"] / 5)
    assert rates[-1] < 0.01 * OPTIONS["learning_rate"]


def test_the_average_forgets_the_weights_it_started_from(tmp_path: Path) -> None:
    """With a decay of .9999, an average carried over would keep 99.8% of the old weights after 20 steps."""
    start = [parameter.detach() for parameter in build(NETWORK, 3, {}).parameters()]
    raw = run(tmp_path / "a", steps=20, ema_decay=0.0)
    averaged = run(tmp_path / "b", steps=20, ema_decay=0.9999)
    moved = sum(float((x - s).square().sum()) for x, s in zip(raw, start, strict=True)) ** 0.5
    kept = sum(float((x - y).square().sum()) for x, y in zip(raw, averaged, strict=True)) ** 0.5
    assert kept < 0.5 * moved


def test_a_loss_that_is_not_finite_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="finite"):
        run(tmp_path / "s", learning_rate=1e30, warmup=0.0, gradient_clip=1e30)


def test_the_eight_bit_optimiser_descends_as_the_other_does(tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes", reason="8-bit Adam needs bitsandbytes: pip install -e .[adam8bit]")
    start = [parameter.detach() for parameter in build(NETWORK, 3, {}).parameters()]
    full, eight = (run(tmp_path / o, steps=20, ema_decay=0.0, optimizer=o) for o in ("adamw", "adamw_8bit"))
    moved, apart = (
        sum(float((x - y).square().sum()) for x, y in zip(full, other, strict=True)) ** 0.5 for other in (start, eight)
    )
    assert 0 < apart < 0.1 * moved


def test_a_constant_rate_stays_after_its_warm_up() -> None:
    rates = [optimising.learning_rate({**OPTIONS, "decay": "constant", "steps": 20}, step) for step in range(20)]
    assert rates[:5] == pytest.approx([OPTIONS["learning_rate"] * k / 5 for k in range(1, 6)])
    assert set(rates[5:]) == {OPTIONS["learning_rate"]}


def test_guidance_leans_from_nobody_to_the_contributor(tmp_path: Path) -> None:
    """By equation 6 of arXiv 2207.12598, with nobody as class 0; one pass of the network computes both."""
    model = build(unet.conditional(NETWORK, 2), 3, {})
    x, t, label = torch.randn(3, 1, 8, 8), torch.tensor(40), torch.tensor([2, 1, 2])
    with torch.no_grad():
        told, nobody = (model(x, t, class_labels=labels).sample for labels in (label, 0 * label))
        guided = unet.denoiser(model, {}, {}, guidance=2.5)(x, t, label)
    assert torch.allclose(guided, nobody + 2.5 * (told - nobody), atol=1e-5)
    assert not torch.allclose(told, nobody, atol=1e-3)
