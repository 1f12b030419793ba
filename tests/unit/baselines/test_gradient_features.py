"""Projected gradients as a collection: of adapters alone, of latents, cut and resumed, whatever is asked for beside."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pipelines import announced, write_stable_diffusion, write_vqvae

from diffusion_credit.base.errors import Stopped, UserError
from diffusion_credit.base.files import MANIFEST, digest_of_file
from diffusion_credit.base.seeds import generator, named_seed, noise
from diffusion_credit.baselines import gradient_arrays
from diffusion_credit.baselines.gradient_arrays import DATA, GENERATED, PATH
from diffusion_credit.baselines.gradient_features import compute
from diffusion_credit.models.checkpoints import LAST, build, parameters, save_model
from diffusion_credit.models.diffusion import Process
from diffusion_credit.models.inputs import Inputs, as_inputs, encode, read_inputs
from diffusion_credit.models.networks import lora, unet

DIFFUSION = dict(timesteps=1000, schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, prediction="epsilon")
ASKED = dict(
    output="loss", timesteps=3, spacing="even", projection=None, path=False, memory=2.0, batch_size=64, models="full"
)
PIXELS = np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3), dtype=np.uint8)


class NoIndex:
    pixels_digest = "pixels"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    write_vqvae(folder / "ldm" / "vqvae")
    return {"sd": announced(write_stable_diffusion(folder / "sd")), "vqvae": announced(folder / "ldm")}


def made(
    kind: str, weights: dict[str, Path], folder: Path, progress: Any = lambda *_: None, **asked: Any
) -> tuple[Any, Inputs, dict[str, dict[str, np.ndarray]]]:
    """A network of this kind, its inputs, and set -> its gradients: training images, and the same as generated."""
    if kind == "lora":
        options = {
            "kind": "lora", "family": "stable_diffusion", "base": "sd", "base_precision": "float32", "rank": 4,
            "prompt": "a painting",
        }  # fmt: skip
        encode(PIXELS, {"model": options, "diffusion": DIFFUSION, "device": "cpu"}, weights, folder / "encoded")
        model = build(lora.architecture(options, (4, 8, 8)), 1, weights)
        architecture = lora.architecture(options, (4, 8, 8))
        with torch.no_grad():
            for number, parameter in enumerate(parameters(model)):
                parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
    else:
        options = dict(kind="unet", channels=[8, 8], autoencoder="vqvae", latent_scale=1.0)
        encode(PIXELS, {"model": options, "diffusion": DIFFUSION, "device": "cpu"}, weights, folder / "encoded")
        widths = unet.Options(
            kind="unet", channels=[8, 8], layers_per_block=1, norm_groups=4, attention=[1]
        ).model_dump()
        architecture = unet.architecture(widths, (3, 4, 4))
        model = build(architecture, 1, weights)
    inputs = read_inputs(NoIndex(), PIXELS, folder / "encoded" / MANIFEST, "cpu")  # type: ignore[arg-type]
    if not (folder / "model").exists():
        (folder / "model").mkdir()
        save_model(folder / "model", model, {"architecture": architecture, "diffusion": DIFFUSION, "latents": None}, {})
    sets = {
        DATA: ("d", len(PIXELS), lambda: inputs.images, inputs.labels),
        GENERATED: ("g", 5, lambda: as_inputs(PIXELS[:5], inputs.latents, weights, "cpu"), inputs.labels),
    }
    about = {"gradients": {**ASKED, **asked}, "diffusion": DIFFUSION, "network": kind, "seed": 7, "device": "cpu"}
    models = {"00": (folder / "model", LAST, digest_of_file(folder / "model" / MANIFEST))}
    compute(models, sets, inputs, weights, folder / "gradients", {**about, "code": "c"}, progress)
    return model, inputs, gradient_arrays.read(folder / "gradients" / MANIFEST)["00"]


def by_hand(
    model: Any,
    predict: Callable[..., torch.Tensor],
    clean: torch.Tensor,
    e: torch.Tensor,
    at: list[int],
    *label: torch.Tensor,
) -> Any:
    """The gradient of the summed losses, by the learned weights, one backward pass a timestep."""
    process, total = Process(DIFFUSION, "cpu"), None
    for number, t in enumerate(at):
        image = clean if clean.dim() == 3 else clean[number]
        noised, _, target = process.noised(image[None], e[number][None], torch.tensor([t]))
        loss = (predict(noised, torch.tensor([t]), *label) - target).square().mean()
        found = torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters(model))])
        total = found if total is None else total + found
    return total


@pytest.mark.parametrize("kind", ["lora", "unet"])
def test_gradients_are_of_the_learned_weights_in_latents(kind: str, weights: dict[str, Path], tmp_path: Path) -> None:
    """Of adapters nothing of the base; generated images go through the autoencoder as the training images did."""
    model, inputs, found = made(kind, weights, tmp_path)
    architecture = {"family": "stable_diffusion", "base": "sd", "base_precision": "float32"}
    predict = {"lora": lora, "unet": unet}[kind].denoiser(model.eval(), architecture, inputs.conditions, 1)
    label = [] if inputs.labels is None else [inputs.labels[:1]]
    learned = sum(parameter.numel() for parameter in parameters(model))
    assert found[DATA]["features"].shape == (9, learned) and found[GENERATED]["features"].shape == (5, learned)
    assert (learned < 0.2 * sum(p.numel() for p in model.parameters())) == (kind == "lora")
    for name in (DATA, GENERATED):
        e = generator(7, "gradient", name, 3).standard_normal((3, *inputs.shape), dtype=np.float32)
        expected = by_hand(model, predict, inputs.images[3], torch.from_numpy(e), [0, 333, 666], *label).numpy()
        assert np.linalg.norm(found[name]["features"][3] - expected) < 1e-4 * np.linalg.norm(expected)


def test_the_path_begins_with_the_noise_of_the_generated_image(weights: dict[str, Path], tmp_path: Path) -> None:
    """Journey-TRAK by hand: DDIM's own formula, the clean image that is predicted, noised again."""
    model, inputs, found = made("unet", weights, tmp_path, path=True)
    predict, process = unet.denoiser(model.eval(), {}, {}, 1), Process(DIFFUSION, "cpu")
    x, at, clean = torch.from_numpy(noise(7, 2, 3, inputs.shape)), [999, 666, 332], []
    with torch.no_grad():
        for t, following in zip(at, [*at[1:], None], strict=True):
            e = predict(x, torch.tensor(t))
            image = (x - process.noise[t] * e) / process.signal[t]
            clean.append(image[0])
            if following is not None:
                x = process.signal[following] * image + process.noise[following] * e
    e = torch.from_numpy(generator(7, "gradient", PATH, 2).standard_normal((3, *inputs.shape), dtype=np.float32))
    expected = by_hand(model, predict, torch.stack(clean), e, at).numpy()
    assert np.linalg.norm(found[PATH]["features"][2] - expected) < 1e-3 * np.linalg.norm(expected)


def test_a_cut_computation_goes_on_to_the_same_bytes(weights: dict[str, Path], tmp_path: Path) -> None:
    _, _, undisturbed = made("unet", weights, tmp_path / "a", projection=16)

    def cut(entry: str, done: int, of: int) -> None:
        if entry == "00-generated-0000":
            raise Stopped("SIGTERM")

    with pytest.raises(Stopped):
        made("unet", weights, tmp_path / "b", cut, projection=16)
    kept = tmp_path / "b/gradients/00-data-0000/features.safetensors"
    stamp = kept.stat().st_mtime_ns
    _, _, resumed = made("unet", weights, tmp_path / "b", projection=16)
    assert kept.stat().st_mtime_ns == stamp
    for name in (DATA, GENERATED):
        for key in ("features", "error"):
            assert np.array_equal(undisturbed[name][key], resumed[name][key])


def test_too_little_memory_is_refused(weights: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gradients\.memory: found 1e-06 GiB"):
        made("unet", weights, tmp_path, memory=1e-6)


def test_the_projection_is_the_same_for_every_set(weights: dict[str, Path], tmp_path: Path) -> None:
    """Inner products between sets are kept only if both went through one matrix."""
    from diffusion_credit.baselines.projection import project

    _, _, exact = made("unet", weights, tmp_path / "a")
    model, _, found = made("unet", weights, tmp_path / "b", projection=32)
    widths = [parameter.numel() for parameter in parameters(model)]
    for name in (DATA, GENERATED):
        blocks = torch.from_numpy(exact[name]["features"]).split(widths, dim=1)
        expected = project(blocks, 32, named_seed(7, "projection")).numpy()
        np.testing.assert_allclose(found[name]["features"], expected, rtol=1e-3, atol=1e-5)
