"""An autoencoder of the study's own beside diffusers' class: its loss, scale and errors; and a training cut short."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from diffusion_credit.base.errors import Stopped, UserError
from diffusion_credit.models import autoencoders, optimising
from diffusion_credit.models.autoencoders import errors, reconstructions, train_autoencoder
from diffusion_credit.models.latents import Autoencoder
from diffusion_credit.models.options import AUTOENCODER, AUTOENCODER_FILES
from diffusion_credit.models.options import Autoencoder as Section
from diffusion_credit.models.weights import fetch

STEPS = 60
SECTION = Section(
    channels=[8, 8], norm_groups=4, latent_channels=3, steps=STEPS, batch_size=8, learning_rate=0.01, ema_decay=0.9,
    flip=True,
).model_dump()  # fmt: skip
OPTIONS: dict[str, Any] = {"autoencoder": SECTION, "seed": 3, "device": "cpu", "code": "c"}
PIXELS = np.kron(np.random.default_rng(0).integers(0, 256, (40, 4, 4, 1)), np.ones((1, 4, 4, 1))).astype(np.uint8)


def silent(name: str, step: int, steps: int) -> None:
    pass


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    assert train_autoencoder(PIXELS, OPTIONS, folder, silent) == 1
    assert train_autoencoder(PIXELS, OPTIONS, folder, silent) == 0
    return folder


def test_diffusers_loads_it_and_its_latents_have_deviation_1(trained: Path, tmp_path: Path) -> None:
    model = AutoencoderKL.from_pretrained(trained / AUTOENCODER)
    x = torch.from_numpy(PIXELS.transpose(0, 3, 1, 2) / 127.5 - 1).float()
    with torch.no_grad():
        latents = model.encode(x).latent_dist.mode()
        expected = model(x).sample  # decoded from the mode
    manifest = tmp_path / "mine" / "manifest.json"
    fetch("mine", {"folder": str(trained / AUTOENCODER), "files": list(AUTOENCODER_FILES), "sha256": {}}, manifest)
    ours = Autoencoder(manifest, None, "cpu")
    with torch.no_grad():
        encoded = ours.encode(x)
    assert encoded.shape == (40, 3, 8, 8)
    assert float(encoded.std()) == pytest.approx(1, abs=1e-4)
    assert torch.allclose(encoded, latents * model.config.scaling_factor, atol=1e-5)
    decoded = reconstructions(PIXELS, trained / AUTOENCODER, "cpu")
    grey = (expected.clamp(-1, 1) + 1).numpy().transpose(0, 2, 3, 1) * 127.5
    assert np.abs(decoded - grey).max() <= 0.5 + 1e-3
    overall, _ = errors(PIXELS, decoded, np.zeros(40, dtype=int))
    assert overall < 0.5 * PIXELS.std(), "images come back no better than their mean"


def test_the_loss_is_the_squared_error_and_diffusers_divergence() -> None:
    torch.manual_seed(0)
    model = AutoencoderKL(**autoencoders.architecture(SECTION, 1))
    x, noise = torch.randn(5, 1, 16, 16), torch.randn(5, 3, 8, 8)
    with torch.no_grad():
        found = autoencoders._loss(model, {**SECTION, "kl_weight": 0.3}, x, noise)
        posterior = model.encode(x).latent_dist
        decoded = model.decode(posterior.mean + posterior.std * noise).sample
    expected = ((decoded - x) ** 2).mean() + 0.3 * posterior.kl().sum() / (5 * 3 * 8 * 8)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_cut_in_the_middle_it_ends_with_the_same_bytes(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimising, "STATE_SECONDS", 0.0)

    def stop(name: str, step: int, steps: int) -> None:
        if step == STEPS // 2:
            raise Stopped("SIGTERM")

    with pytest.raises(Stopped):
        train_autoencoder(PIXELS, OPTIONS, tmp_path, stop)
    seen: list[int] = []
    train_autoencoder(PIXELS, OPTIONS, tmp_path, lambda name, step, steps: seen.append(step))
    assert seen == [*range(STEPS // 2 + 1, STEPS + 1)]
    for name in AUTOENCODER_FILES:
        assert (tmp_path / AUTOENCODER / name).read_bytes() == (trained / AUTOENCODER / name).read_bytes()


def test_errors_by_hand() -> None:
    pixels = np.zeros((3, 1, 2, 1), dtype=np.uint8)
    decoded = np.array([[3, 4], [0, 0], [6, 0]], dtype=np.uint8).reshape(3, 1, 2, 1)
    overall, each = errors(pixels, decoded, np.array([0, 1, 1]))
    assert each == pytest.approx([12.5**0.5, 9**0.5])
    assert overall == pytest.approx(((9 + 16 + 36) / 6) ** 0.5)


def test_sizes_that_cannot_be_halved_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"config: data.size: found images of 15 x 16, expected a multiple of 2, by"):
        train_autoencoder(PIXELS[:, 1:], OPTIONS, tmp_path, silent)
