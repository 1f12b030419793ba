"""Latents and prompt embeddings: equal to what diffusers' own pipelines compute, mirrored, and refused by name."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, VQModel
from pipelines import PROCESS, announced, write_stable_diffusion, write_vqvae
from safetensors.torch import load_file, save_file

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import MANIFEST
from diffusion_credit.base.seeds import noise
from diffusion_credit.data.images import to_float
from diffusion_credit.models.checkpoints import build, parameters
from diffusion_credit.models.diffusion import sample
from diffusion_credit.models.inputs import Inputs, encode, read_inputs
from diffusion_credit.models.latents import Autoencoder
from diffusion_credit.models.networks import lora
from diffusion_credit.models.prompts import prompts_of, read_prompts, write_prompts
from diffusion_credit.models.texts import Encoder
from diffusion_credit.models.weights import open_weights

PIXELS = np.random.default_rng(0).integers(0, 256, (11, 16, 16, 3), dtype=np.uint8)
DIFFUSION = {"timesteps": 1000, "schedule": "scaled_linear", "prediction": "epsilon"} | {
    key: PROCESS[key] for key in ("beta_start", "beta_end")
}
LATENT = {"kind": "unet", "channels": [8, 8], "autoencoder": "vqvae", "latent_scale": 1.0}
LORA = {
    "kind": "lora", "family": "stable_diffusion", "base": "sd", "base_precision": "float32", "rank": 4,
    "prompt": "a post-impressionist painting",
}  # fmt: skip


class NoIndex:
    pixels_digest = "pixels"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    write_vqvae(folder / "ldm" / "vqvae")
    return {"sd": announced(write_stable_diffusion(folder / "sd")), "vqvae": announced(folder / "ldm")}


def encoded(options: dict, weights: dict[str, Path], folder: Path) -> Inputs:
    encode(PIXELS, {"model": options, "diffusion": DIFFUSION, "device": "cpu"}, weights, folder)
    return read_inputs(NoIndex(), PIXELS, folder / MANIFEST, "cpu")  # type: ignore[arg-type]


def test_latents_are_the_autoencoders_and_decode_to_what_it_decodes(weights: dict[str, Path], tmp_path: Path) -> None:
    inputs = encoded(LATENT, weights, tmp_path)
    assert (inputs.shape, inputs.latents) == ((3, 4, 4), {"autoencoder": "vqvae", "scale": 1.0})
    # frozen, as ours: some processors round the gradients' kernels otherwise
    model = VQModel.from_pretrained(open_weights(weights["vqvae"]) / "vqvae").requires_grad_(False)
    x = torch.from_numpy(to_float(PIXELS))
    with torch.inference_mode():
        expected = model.encode(x).latents
        assert torch.allclose(inputs.images, expected, atol=1e-6)
        decoded = Autoencoder(weights["vqvae"], 1.0, "cpu").decode(expected)
        assert torch.equal(decoded, model.decode(expected).sample)
    # another scale multiplies on the way in and divides on the way out
    scaled = encoded({**LATENT, "latent_scale": None}, weights, tmp_path / "own")
    assert scaled.latents == {"autoencoder": "vqvae", "scale": 0.18215}
    assert torch.allclose(scaled.images, 0.18215 * expected, atol=1e-6)


def test_what_a_training_depends_on_is_of_its_own_images_alone(weights: dict[str, Path], tmp_path: Path) -> None:
    """Its digest stays when others leave, join or get another text, and changes with a number or a text of its own."""
    ours, texts = np.array([1, 2, 9, 10]), [f"a drawing by {i % 3}" for i in range(11)]

    def digest(pixels: np.ndarray, captions: list[str], images: np.ndarray, name: str) -> str:
        options = {"model": LORA, "diffusion": DIFFUSION, "device": "cpu"}
        encode(pixels, options, weights, tmp_path / name, captions)
        return read_inputs(NoIndex(), pixels, tmp_path / name / MANIFEST, "cpu").digest_of(images)  # type: ignore[arg-type]

    expected = digest(PIXELS, texts, ours, "all")
    kept = [i for i in range(11) if i not in (0, 5, 6)]
    assert digest(PIXELS[kept], [texts[i] for i in kept], np.array([0, 1, 6, 7]), "some left") == expected
    more = np.concatenate([PIXELS[4:5], PIXELS])
    assert digest(more, ["somebody new", *texts], ours + 1, "one joined") == expected
    others = [text if i in ours else "of somebody else" for i, text in enumerate(texts)]
    assert digest(PIXELS, others, ours, "other texts") == expected
    assert digest(PIXELS, [*texts[:2], "another", *texts[3:]], ours, "another text") != expected
    other = PIXELS.copy()
    other[9, 0, 0, 0] ^= 128
    assert digest(other, texts, ours, "another pixel") != expected
    assert digest(PIXELS, texts, ours[::-1], "another order") != expected


def test_a_mirrored_image_has_a_latent_of_its_own(weights: dict[str, Path], tmp_path: Path) -> None:
    inputs = encoded(LATENT, weights, tmp_path)
    with torch.inference_mode():
        expected = Autoencoder(weights["vqvae"], 1.0, "cpu").encode(torch.from_numpy(to_float(PIXELS)).flip(3))
    assert not torch.allclose(expected, inputs.images.flip(3), atol=1e-3)
    chosen, flip = np.array([4, 7, 4]), np.array([True, False, False])
    batch = inputs.batch(chosen, flip)
    assert torch.allclose(batch[0], expected[4], atol=1e-6)
    assert torch.equal(batch[1:], inputs.images[[7, 4]])


def test_pixels_mirror_themselves() -> None:
    inputs = read_inputs(NoIndex(), PIXELS, None, "cpu")  # type: ignore[arg-type]
    batch = inputs.batch(np.array([2, 3]), np.array([False, True]))
    assert torch.equal(batch, torch.from_numpy(to_float(np.stack([PIXELS[2], PIXELS[3, :, ::-1]]))))


def test_a_guided_sample_is_diffusers_own_pipelines(weights: dict[str, Path], tmp_path: Path) -> None:
    """The same starting noise, adapters, prompt and guidance through StableDiffusionPipeline."""
    inputs = encoded(LORA, weights, tmp_path)
    architecture = lora.architecture(LORA, inputs.shape)
    model = build(architecture, 0, weights).eval()
    for parameter in parameters(model):
        torch.nn.init.normal_(parameter, std=0.1)
    guided = lora.denoiser(model, architecture, inputs.conditions, guidance=3.0)
    options = {"images": 2, "solver": "pndm", "steps": 5, "batch_size": 2, "precision": "float32"}
    autoencoder = Autoencoder(weights["sd"], None, "cpu")
    ours = sample(guided, autoencoder.decode, DIFFUSION, options, inputs.shape, 3, "cpu", labels=inputs.labels)

    folder = open_weights(weights["sd"])
    (folder / "model_index.json").write_text(
        json.dumps(
            {
                "_class_name": "StableDiffusionPipeline",
                "vae": ["diffusers", "AutoencoderKL"],
                "text_encoder": ["transformers", "CLIPTextModel"],
                "tokenizer": ["transformers", "CLIPTokenizer"],
                "scheduler": ["diffusers", "PNDMScheduler"],
            }
        )
    )
    pipeline = StableDiffusionPipeline.from_pretrained(
        folder, unet=model, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        LORA["prompt"], latents=torch.from_numpy(noise(3, 0, 2, inputs.shape)), num_images_per_prompt=2,
        guidance_scale=3.0, num_inference_steps=5, output_type="np", height=16, width=16,
    ).images  # fmt: skip
    assert np.abs(ours / 255 - theirs).max() < 1.5 / 255


def test_what_does_not_fit_is_refused_by_name(weights: dict[str, Path], tmp_path: Path) -> None:
    def complaint(options: dict, pixels: np.ndarray = PIXELS, diffusion: dict = DIFFUSION, **other: Path) -> str:
        everything = {"model": options, "diffusion": diffusion, "device": "cpu"}
        with pytest.raises(UserError) as error:
            encode(pixels, everything, {**weights, **other}, tmp_path)
        return str(error.value)

    assert "found an autoencoder for 3 channels, expected 1" in complaint(LATENT, PIXELS[..., :1])
    assert "data.size: found images of 18 x 18, expected a multiple of 4" in complaint(
        LATENT, np.zeros((1, 18, 18, 3), dtype=np.uint8)
    )
    assert "model.channels: found 4 levels" in complaint({**LATENT, "channels": [8] * 4})
    found = complaint(LORA, diffusion={**DIFFUSION, "beta_end": 0.02})
    assert "diffusion.beta_end: found 0.02, expected 0.012" in found
    assert "scheduler_config.json" in found
    assert "config.json: found 'UNet2DConditionModel', expected one of ['AutoencoderKL', 'VQModel']" in complaint(
        LATENT, vqvae=announced(open_weights(weights["sd"]) / "unet")
    )
    damaged = write_vqvae(tmp_path / "damaged")
    file = damaged / "diffusion_pytorch_model.safetensors"
    content, manifest = file.read_bytes(), announced(damaged)
    file.write_bytes(content[:-100])
    assert f"{file}: found {len(content) - 100} bytes, expected {len(content)}" in complaint(LATENT, vqvae=manifest)
    assert f"{damaged}: found no VQModel that can be loaded" in complaint(LATENT, vqvae=announced(damaged))
    tensors = load_file(weights_file := open_weights(weights["vqvae"]) / "vqvae" / file.name)
    save_file({name: tensor for name, tensor in tensors.items() if name != "decoder.conv_in.weight"}, file)
    assert weights_file.stat().st_size > file.stat().st_size
    assert "found no weights for decoder.conv_in.weight" in complaint(LATENT, vqvae=announced(damaged))
    assert not (tmp_path / "manifest.json").exists()


def test_damaged_inputs_are_refused(weights: dict[str, Path], tmp_path: Path) -> None:
    encoded(LATENT, weights, tmp_path)
    file = tmp_path / "inputs.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\1")
    with pytest.raises(UserError, match=r"inputs\.safetensors"):
        read_inputs(NoIndex(), PIXELS, tmp_path / MANIFEST, "cpu")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def encoder(weights: dict[str, Path]) -> Encoder:
    return Encoder(LORA, weights, "cpu")


def test_prompts_are_shared_out_evenly_and_more_images_keep_those_of_fewer(encoder: Encoder, tmp_path: Path) -> None:
    prompts, drawn = ["a", "b", "c"], {}
    for images, seed in ((7, 1), (11, 1), (11, 2)):
        write_prompts(prompts, encoder, (16, 16), images, seed, tmp_path / f"{images}-{seed}")
        conditions, labels = read_prompts(tmp_path / f"{images}-{seed}/manifest.json")
        rows = (tmp_path / f"{images}-{seed}/prompts.csv").read_text().splitlines()[1:]
        drawn[images, seed] = [row.split(",")[1] for row in rows]
        expected = encoder.embed(drawn[images, seed], (16, 16))["states"][1:]
        assert labels is not None and torch.equal(conditions["states"][labels], expected)
    assert drawn[11, 1][:7] == drawn[7, 1] and drawn[11, 2] != drawn[11, 1]
    counts = [drawn[11, 1].count(prompt) for prompt in prompts]
    assert sorted(counts) == [3, 4, 4] and sorted(drawn[11, 1][:3]) == prompts


def test_prompts_that_cannot_be_read_are_one_sentence(encoder: Encoder, tmp_path: Path) -> None:
    def complaint(prompts: list[str] | None, content: bytes | None = None) -> str:
        file = tmp_path / "prompts.txt"
        if content is not None:
            file.write_bytes(content)
        options = {"model": LORA, "generation": {"prompts": prompts or str(file)}}
        with pytest.raises(UserError) as error:
            found = prompts_of(options, file if content is not None else None)
            write_prompts(found, encoder, (16, 16), 2, 0, tmp_path / "out")
        assert "\n" not in str(error.value) and not (tmp_path / "out/manifest.json").exists()
        return str(error.value)

    assert "prompts.txt: found line 2 without a text, expected one text on each line" in complaint(None, b"a\n \nb\n")
    assert "prompts.txt: found no text" in complaint(None, b"")
    assert "prompts.txt: found something that is not text in UTF-8" in complaint(None, b"\xff\xfe")
    assert "generation.prompts: found line 1 without a text" in complaint([" "])
    long = complaint(["a painting " * 20])
    assert "found 182 tokens, expected at most 40, in 'a painting a painting" in long  # 9 letters each, two marks
    # as editors of Windows write it, and with an empty last line
    (tmp_path / "prompts.txt").write_bytes(b"\xef\xbb\xbfa cat\r\na dog\r\n\r\n")
    options = {"model": LORA, "generation": {"prompts": "prompts.txt"}}
    assert prompts_of(options, tmp_path / "prompts.txt") == ["a cat", "a dog"]
    # the prompt of the study alone is what images are generated for otherwise
    assert prompts_of({"model": LORA, "generation": {"prompts": None}}, None) == [LORA["prompt"]]


def test_long_captions_are_named_not_cut_in_silence(
    weights: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    captions = ["a painting"] * 10 + ["a painting " * 20]
    everything = {"model": LORA, "diffusion": DIFFUSION, "device": "cpu"}
    encode(PIXELS, everything, weights, tmp_path, captions)
    assert caplog.messages[-1].startswith("Warning: 1 captions have more than 40 tokens")
