"""Extractors against a direct call of each network's own library on the same images."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cleanfid.inception_torchscript import InceptionV3W
from cleanfid.resize import build_resizer
from PIL import Image
from pretrained import SIDE, digest, write_aesthetic_head, write_blip, write_clip, write_inception
from safetensors.torch import load_file, save_file
from studies import tiny_config

from diffusion_credit.base.errors import UserError
from diffusion_credit.measuring.embedding import resized
from diffusion_credit.measuring.extractors import blip, clip, efficientnet_lite0, inception
from diffusion_credit.models.weights import fetch
from diffusion_credit.study.config import plain, read_study
from diffusion_credit.study.sections.weights import Weights

PROMPT = "a post impressionist"


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 20, 20, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name -> manifest of tiny weights of every kind."""
    root = tmp_path_factory.mktemp("weights")
    write_clip(root / "clip")
    write_blip(root / "blip")
    digests = {"inception": write_inception(root / "inception"), "head": write_aesthetic_head(root / "head")}
    manifests = {}
    for name in ("clip", "blip", "inception", "head"):
        manifests[name] = root / "manifests" / name / "manifest.json"
        named = {file.name: digests[name] for file in (root / name).glob("*.pt*")}
        fetch(name, plain(Weights(folder=str(root / name), sha256=named)), manifests[name])
    return manifests


def folder_of(manifest: Path) -> Path:
    return manifest.parents[2] / manifest.parent.name


LOADERS: dict[str, Callable[[dict[str, Path], int], Any]] = {
    "clip": lambda store, size: clip.load(
        {"weights": "clip", "aesthetic_head": "head", "prompt": PROMPT, "batch_size": size}, None, store, "cpu"
    ),
    "blip": lambda store, size: blip.load({"weights": "blip", "batch_size": size}, None, store, "cpu"),
    "inception": lambda store, size: inception.load({"weights": "inception", "batch_size": size}, None, store, "cpu"),
    "efficientnet_lite0": lambda store, size: efficientnet_lite0.load(
        {"size": 224, "batch_size": size}, None, {}, "cpu"
    ),
}


@pytest.mark.parametrize("name", LOADERS)
def test_batches_change_nothing_and_grey_is_a_colour(name: str, store: dict[str, Path], pixels: np.ndarray) -> None:
    once, again = LOADERS[name](store, 2)(pixels), LOADERS[name](store, 2)(pixels)
    whole = LOADERS[name](store, 64)(pixels)
    assert once.keys() == whole.keys()
    for key in whole:
        assert np.array_equal(once[key], again[key])
        assert len(whole[key]) == len(pixels) and whole[key].dtype == np.float32
        np.testing.assert_allclose(once[key], whole[key], rtol=1e-4, atol=1e-5)
        assert whole[key].std(axis=0).max() > 1e-4  # tells images apart
    grey = pixels[..., :1]
    np.testing.assert_array_equal(
        LOADERS[name](store, 4)(grey)["features"], LOADERS[name](store, 4)(grey.repeat(3, 3))["features"]
    )


def test_clip_equals_transformers_own_pipeline(store: dict[str, Path], pixels: np.ndarray) -> None:
    from transformers import CLIPModel, CLIPProcessor, CLIPTokenizer
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    folder = folder_of(store["clip"])
    model = CLIPModel.from_pretrained(folder)
    processor = CLIPProcessor(CLIPImageProcessorPil.from_pretrained(folder), CLIPTokenizer.from_pretrained(folder))
    inputs = processor(
        text=[PROMPT], images=[Image.fromarray(image) for image in pixels], return_tensors="pt", padding=True
    )
    with torch.inference_mode():
        outputs = model(**inputs)
        cosine = outputs.logits_per_image[:, 0] / model.logit_scale.exp()
    found = LOADERS["clip"](store, 2)(pixels)
    np.testing.assert_allclose(found["features"], outputs.image_embeds.numpy(), atol=1e-6)
    np.testing.assert_allclose(found["prompt"], (100 * cosine).clamp(min=0), rtol=1e-4, atol=1e-4)
    assert (found["prompt"] > 1).any()

    head = torch.load(folder_of(store["head"]) / "sa_0_4_vit_l_14_linear.pth", weights_only=True)
    by_hand = outputs.image_embeds.numpy() @ head["weight"][0].numpy() + head["bias"].item()
    np.testing.assert_allclose(found["aesthetic"], by_hand, rtol=1e-5)


def test_blip_equals_the_vision_model_of_question_answering(store: dict[str, Path], pixels: np.ndarray) -> None:
    from transformers import BlipForQuestionAnswering

    model = BlipForQuestionAnswering.from_pretrained(folder_of(store["blip"])).eval()
    mean, std = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
    square = [Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC) for image in pixels]
    x = (np.stack([np.asarray(image) for image in square]) / 255 - mean) / std
    with torch.inference_mode():
        expected = model.vision_model(torch.from_numpy(x).float().permute(0, 3, 1, 2)).pooler_output
    np.testing.assert_allclose(LOADERS["blip"](store, 2)(pixels)["features"], expected, atol=1e-5)


def test_inception_equals_the_networks_own_call(store: dict[str, Path], pixels: np.ndarray) -> None:
    network = torch.jit.load(folder_of(store["inception"]) / "inception-2015-12-05.pt")
    x = resized(pixels, 299)
    found = LOADERS["inception"](store, 2)(pixels)
    with torch.inference_mode():
        features, probabilities = network(x, return_features=True), network(x, no_output_bias=True)
        assert not np.allclose(probabilities, network(x), rtol=1e-3)  # the bias would matter
    np.testing.assert_allclose(found["features"], features, atol=1e-5)
    np.testing.assert_allclose(found["probabilities"], probabilities, atol=1e-5)


def test_inception_features_are_clean_fids(tmp_path: Path, pixels: np.ndarray) -> None:
    sha256 = write_inception(tmp_path / "weights", features=2048)  # clean-fid takes no other width
    manifest = tmp_path / "manifest.json"
    named = {"inception-2015-12-05.pt": sha256}
    fetch("inception", plain(Weights(folder=str(tmp_path / "weights"), sha256=named)), manifest)
    network, resize = InceptionV3W(tmp_path / "weights", download=False), build_resizer("clean")
    x = torch.from_numpy(np.stack([resize(image) for image in pixels]).transpose(0, 3, 1, 2))
    with torch.inference_mode():
        expected = network(x)
    found = LOADERS["inception"]({"inception": manifest}, 8)(pixels)["features"]
    assert found.std(axis=0).max() > 1e-4
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("shape", "size"), [((32, 32), 299), ((400, 350), 299), ((8, 8), 224)])
def test_resizing_is_bicubic_and_antialiased(shape: tuple[int, int], size: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (2, *shape, 3), dtype=np.uint8)
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).double()
    expected = torch.nn.functional.interpolate(x, (size, size), mode="bicubic", antialias=True).clamp(0, 255)
    np.testing.assert_allclose(resized(pixels, size), expected, atol=1e-2)


def test_resizing_is_clean_fids_to_the_bit() -> None:
    resize = build_resizer("clean")
    pixels = np.random.default_rng(2).integers(0, 256, (2, 40, 50, 3), dtype=np.uint8)
    expected = np.stack([resize(image) for image in pixels])
    np.testing.assert_array_equal(resized(pixels, 299).permute(0, 2, 3, 1), expected)


def test_efficientnet_knows_what_is_on_photographs() -> None:
    from sklearn.datasets import load_sample_images

    pixels = np.stack(
        [resized(image[None, :, 100:527], 224)[0].permute(1, 2, 0).byte() for image in load_sample_images().images]
    )
    found = LOADERS["efficientnet_lite0"]({}, 8)(pixels)
    assert found["features"].shape == (2, 1280)
    np.testing.assert_allclose(found["probabilities"].sum(axis=1), 1, rtol=1e-5)
    assert found["probabilities"].argmax(axis=1).tolist() == [698, 985]  # ImageNet's palace and daisy


def test_weights_without_a_part_of_the_model_are_refused(store: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "text_only"
    shutil.copytree(folder_of(store["blip"]), folder)
    weights = load_file(folder / "model.safetensors")
    text = {name: tensor for name, tensor in weights.items() if not name.startswith("vision_model")}
    save_file(text, folder / "model.safetensors", {"format": "pt"})
    fetch("text", plain(Weights(folder=str(folder))), tmp_path / "manifest.json")
    with pytest.raises(UserError, match=r"text_only: found no weights for vision_model.* and \d+ others"):
        blip.load({"weights": "text", "batch_size": 2}, None, {"text": tmp_path / "manifest.json"}, "cpu")


def test_damaged_weights_are_refused_by_name(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip")
    file = tmp_path / "clip/model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])
    fetch("clip", plain(Weights(folder=str(tmp_path / "clip"))), tmp_path / "manifest.json")
    with pytest.raises(UserError, match="clip: found no CLIPModel that can be loaded"):
        clip.load({"weights": "clip"}, None, {"clip": tmp_path / "manifest.json"}, "cpu")


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.path),))


def test_a_head_that_is_a_malicious_pickle_runs_nothing(store: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "head").mkdir()
    file = tmp_path / "head/head.pth"
    for content in (pickle.dumps({"weight": Bomb(tmp_path / "ran")}), b"\x80\x02."):
        file.write_bytes(content)
        fetch("head", plain(Weights(folder=str(file.parent), sha256={"head.pth": digest(file)})), tmp_path / "m.json")
        with pytest.raises(UserError, match=r"head.pth: found no linear layer from 12 numbers to one"):
            clip.load(
                {"weights": "clip", "aesthetic_head": "head", "prompt": None, "batch_size": 1},
                None,
                {**store, "head": tmp_path / "m.json"},
                "cpu",
            )
    torch.save({"weight": Bomb(tmp_path / "ran")}, file)
    fetch("head", plain(Weights(folder=str(file.parent), sha256={"head.pth": digest(file)})), tmp_path / "m.json")
    with pytest.raises(UserError, match=r"head.pth: found no linear layer"):
        clip._linear_head(tmp_path / "m.json", 12)
    assert not (tmp_path / "ran").exists()


def test_a_file_with_code_that_changed_is_not_loaded(tmp_path: Path) -> None:
    named = {"inception-2015-12-05.pt": write_inception(tmp_path / "net")}
    fetch("net", plain(Weights(folder=str(tmp_path / "net"), sha256=named)), tmp_path / "manifest.json")
    file = tmp_path / "net/inception-2015-12-05.pt"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match="its digest differs"):
        inception.load({"weights": "net"}, None, {"net": tmp_path / "manifest.json"}, "cpu")
    file.write_bytes(b"not a network")
    fetch(
        "net",
        plain(Weights(folder=str(tmp_path / "net"), sha256={file.name: digest(file)})),
        tmp_path / "manifest.json",
    )
    with pytest.raises(UserError, match="found no Inception network"):
        inception.load({"weights": "net"}, None, {"net": tmp_path / "manifest.json"}, "cpu")


def with_clip(**change: Any) -> dict[str, Any]:
    config = tiny_config()
    config["weights"] = {"clip": {"folder": "x"}, "head": {"folder": "y", "sha256": {"a.pth": "0" * 64}}}
    config["extractors"]["clip"] = {"kind": "clip", "weights": "clip", **change}
    return config


def measuring(kind: str, **options: Any) -> dict[str, Any]:
    return {"properties": {"a": {"kind": kind, "extractor": "clip", **options}}}


CONFIGS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown weights": (
        with_clip(weights="clop"),
        "extractors.clip.weights: found 'clop', expected a name below weights: clip, head",
    ),
    "head without a digest": (
        with_clip(aesthetic_head="clip"),
        "weights.clip.sha256: found [], expected the digest of the one file ending in .pth that extractors.clip uses",
    ),
    "score that is not asked for": (
        with_clip() | measuring("percentile", of="aesthetic", percent=90),
        "properties.a.of: found 'aesthetic', expected a score of clip: there is none",
    ),
    "features as a score": (
        with_clip(aesthetic_head="head") | measuring("mean", of="features"),
        "properties.a.of: found 'features', expected a score of clip: aesthetic",
    ),
    "probabilities of clip": (
        with_clip() | measuring("inception_score"),
        "properties.a.extractor: found 'clip', which gives ['features'], expected one that gives probabilities",
    ),
    "as many neighbours as images": (
        with_clip() | measuring("precision_recall", which="recall", neighbours=12),
        "properties.a.neighbours: found 12, expected at most 11, because generation.images = 12",
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_whose_parts_do_not_fit_is_one_sentence(name: str) -> None:
    config, complaint = CONFIGS[name]
    with pytest.raises(UserError) as caught:
        read_study(config)
    assert str(caught.value) == f"config: {complaint}"
