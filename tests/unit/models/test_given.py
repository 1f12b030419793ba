"""Models that plain diffusers and peft wrote, read by us, and ours, read by them: outputs are the same."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DDPMPipeline, DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel, UNet2DModel
from peft import LoraConfig, get_peft_model_state_dict
from pipelines import announced, write_stable_diffusion
from safetensors.torch import load_file, save_file

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.checkpoints import build, load_model, parameters, save_model
from diffusion_credit.models.given import lora as read_adapters
from diffusion_credit.models.given import unet as read_unet
from diffusion_credit.models.networks import lora, unet
from diffusion_credit.models.pruning import lora as rank_pruning
from diffusion_credit.models.pruning import unet as width_pruning
from diffusion_credit.models.weights import fetch

LATENTS, T = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1)), torch.tensor([3, 900])
TEXT = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(2))
PIXELS = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(3))
ADAPTERS = {
    "family": "stable_diffusion", "base": "sd", "base_precision": "float32", "prompt": "a painting", "rank": None,
}  # fmt: skip
UNETS: dict[str, dict[str, Any]] = {
    "plain": {},
    "heads": {
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
        "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
        "attention_head_dim": 4,
    },
    "scaled and shifted": {"resnet_time_scale_shift": "scale_shift", "dropout": 0.1},
    "Fourier features": {"time_embedding_type": "fourier", "act_fn": "mish"},
    "residual sampling": {
        "down_block_types": ("AttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "AttnUpBlock2D"),
        "attention_head_dim": 4,
        "downsample_type": "resnet",
        "upsample_type": "resnet",
    },
    "learned times": {"time_embedding_type": "learned", "num_train_timesteps": 1000},
    "a size that it does not say": {"sample_size": None},
    "no attention in the middle": {"add_attention": False, "mid_block_scale_factor": 1.4},
}


def unet_2d(**options: Any) -> UNet2DModel:
    torch.manual_seed(0)
    sizes = {"sample_size": 8, "in_channels": 1, "out_channels": 1, "block_out_channels": (8, 16)}
    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    return UNet2DModel(**{**sizes, **blocks, "layers_per_block": 1, "norm_num_groups": 4, **options}).eval()


def drawn(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model.eval()(PIXELS, T).sample


@pytest.mark.parametrize("name", UNETS)
@pytest.mark.parametrize("ratio", [0.3, 0.5])
def test_a_unet_is_the_same_before_and_after_also_pruned(name: str, ratio: float, tmp_path: Path) -> None:
    theirs = unet_2d(**UNETS[name])
    DDPMPipeline(theirs, DDPMScheduler()).save_pretrained(tmp_path / "theirs")
    architecture, tensors = read_unet.read({}, announced(tmp_path / "theirs"), (1, 8, 8), {})
    ours = build(architecture, 7, {})
    unet.load(ours, tensors)
    assert torch.equal(drawn(ours), drawn(theirs))
    save_model(tmp_path / "ours", ours, {"architecture": architecture, "diffusion": {}, "latents": None}, {})
    assert torch.equal(drawn(UNet2DModel.from_pretrained(tmp_path / "ours")), drawn(theirs))
    assert torch.equal(drawn(load_model(tmp_path / "ours")[0]), drawn(theirs))

    pruned = width_pruning.prune(ours, architecture, {"ratio": ratio, "time_embedding": False})
    save_model(tmp_path / "pruned", ours, {"architecture": pruned, "diffusion": {}, "latents": None}, {})
    assert torch.equal(drawn(load_model(tmp_path / "pruned")[0]), drawn(ours))
    with pytest.raises(OSError, match=r"config\.json"):  # in place of a network of the wrong widths
        UNet2DModel.from_pretrained(tmp_path / "pruned")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {"sd": announced(write_stable_diffusion(tmp_path_factory.mktemp("weights") / "sd"))}


@pytest.fixture(scope="module")
def folder(base: dict[str, Path]) -> Path:
    return Path(json.loads(base["sd"].with_name("location.json").read_text()))


def pipeline(folder: Path) -> StableDiffusionPipeline:
    """The whole pipeline, as its users load it; its text encoder takes no part here."""
    network = UNet2DConditionModel.from_pretrained(folder / "unet")
    parts = dict.fromkeys(("vae", "text_encoder", "tokenizer", "safety_checker", "feature_extractor"))
    return StableDiffusionPipeline(unet=network, scheduler=DDPMScheduler(), requires_safety_checker=False, **parts)


def predicted(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model.eval()(LATENTS, T, encoder_hidden_states=TEXT).sample


def their_adapters(folder: Path, out: Path, written_by: str) -> UNet2DConditionModel:
    """A network with adapters of rank 3 whose outputs are doubled, on attention and on what follows it; saved."""
    network = UNet2DConditionModel.from_pretrained(folder / "unet")
    alpha = 3 if written_by == "diffusers, no scale" else 6
    config = LoraConfig(r=3, lora_alpha=alpha, target_modules=["to_q", "to_v", "ff.net.2", "proj_in"])
    network.add_adapter(config)
    torch.manual_seed(4)
    for name, parameter in network.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    tensors = get_peft_model_state_dict(network)
    if written_by == "peft":
        out.mkdir()
        save_file({f"base_model.model.{k}": v for k, v in tensors.items()}, out / "adapter_model.safetensors")
        said = {"peft_type": "LORA", "r": 3, "lora_alpha": 6, "target_modules": sorted(config.target_modules)}
        (out / "adapter_config.json").write_text(json.dumps(said))
        return network
    about = {} if written_by == "diffusers, no scale" else {"unet_lora_adapter_metadata": config.to_dict()}
    if about:
        about["unet_lora_adapter_metadata"]["target_modules"] = sorted(config.target_modules)
    StableDiffusionPipeline.save_lora_weights(out, tensors, **about)
    return network


@pytest.mark.parametrize("written_by", ["diffusers", "diffusers, no scale", "peft"])
def test_adapters_do_the_same_in_both_directions(
    written_by: str, base: dict[str, Path], folder: Path, tmp_path: Path
) -> None:
    theirs = their_adapters(folder, tmp_path / "theirs", written_by)
    architecture, tensors = read_adapters.read(ADAPTERS, announced(tmp_path / "theirs"), (4, 8, 8), base)
    assert architecture["rank"] == 3
    ours = build(architecture, 7, base)
    lora.load(ours, tensors)
    assert torch.allclose(predicted(ours), predicted(theirs), atol=1e-5)
    without = UNet2DConditionModel.from_pretrained(folder / "unet")
    assert not torch.allclose(predicted(ours), predicted(without), atol=1e-2)

    for name in ("whole", "pruned"):
        if name == "pruned":
            architecture = rank_pruning.prune(ours, architecture, {"ratio": 0.34})
            assert architecture["rank"] == 2
        config = {"architecture": architecture, "diffusion": {}, "latents": None}
        save_model(tmp_path / name, ours, config, {}, [[p.detach() * 0 for p in parameters(ours)]])
        pipe = pipeline(folder)
        pipe.load_lora_weights(tmp_path / name)  # the checkpoint from along the training beside it is not taken
        assert torch.allclose(predicted(pipe.unet), predicted(ours), atol=1e-5)
        assert torch.equal(predicted(load_model(tmp_path / name, weights=base)[0]), predicted(ours))


def edit(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def renamed(path: Path, **names: str) -> None:
    """Weights whose names have other parts."""
    tensors = load_file(path)
    for old, new in names.items():
        tensors = {name.replace(old, new): tensor for name, tensor in tensors.items()}
    save_file(tensors, path)


FILE = lora.WEIGHTS
WRONG_ADAPTERS = {
    "no file": (lambda f: (f / FILE).rename(f / "a.json"), r"found \[\], expected the one file pytorch_lora_weights"),
    "two files": (
        lambda f: [(f / FILE).rename(f / "a.safetensors"), save_file({}, f / "b.safetensors")],
        r"found \['a.safetensors', 'b.safetensors'\], expected the one file",
    ),
    "cut short": (lambda f: (f / FILE).write_bytes((f / FILE).read_bytes()[:99]), "not a safetensors file"),
    "a text encoder's": (lambda f: renamed(f / FILE, unet="text_encoder"), "weights of a text encoder, expected"),
    "of a transformer": (lambda f: renamed(f / FILE, unet="transformer"), r"expected names that begin with unet\."),
    "another base": (lambda f: renamed(f / FILE, attn1="attn7"), "adapters of this base|no adapters of the base"),
    "other widths": (
        lambda f: save_file({k: torch.zeros(5, 7) for k in load_file(f / FILE)}, f / FILE),
        r"found no adapters of the base in weights\.sd",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_ADAPTERS)
def test_adapters_that_are_others_are_one_sentence(
    name: str, base: dict[str, Path], folder: Path, tmp_path: Path
) -> None:
    damage, sentence = WRONG_ADAPTERS[name]
    their_adapters(folder, tmp_path / "theirs", "diffusers, no scale")
    damage(tmp_path / "theirs")
    with pytest.raises(UserError, match=sentence):
        read_adapters.read(ADAPTERS, announced(tmp_path / "theirs"), (4, 8, 8), base)


WRONG_UNETS = {
    "another class": ({"_class_name": "UNet2DConditionModel"}, "found 'UNet2DConditionModel', expected a UNet2DModel"),
    "told classes": ({"num_class_embeds": 10}, "told classes|no UNet2DModel that can be loaded|no weights for"),
    "another size": ({"sample_size": 32}, r"1 to 1 channels of 32 x 32, expected 1 channels of 8 x 8"),
    "wider": ({"block_out_channels": [16, 32]}, "found no UNet2DModel that can be loaded"),
}


@pytest.mark.parametrize("name", WRONG_UNETS)
def test_a_unet_that_is_another_is_one_sentence(name: str, tmp_path: Path) -> None:
    values, sentence = WRONG_UNETS[name]
    unet_2d().save_pretrained(tmp_path / "theirs")
    edit(tmp_path / "theirs/config.json", **values)
    with pytest.raises(UserError, match=sentence):
        read_unet.read({}, announced(tmp_path / "theirs"), (1, 8, 8), {})


def test_a_network_that_cannot_be_pruned_is_one_sentence() -> None:
    model = unet_2d(
        sample_size=[8, 8], down_block_types=("SkipDownBlock2D",) * 2, up_block_types=("SkipUpBlock2D",) * 2
    )
    with pytest.raises(UserError, match=r"pruning\.ratio: found 0\.3, by which a network of SkipDownBlock2D, SkipUp"):
        width_pruning.prune(model, {}, {"ratio": 0.3, "time_embedding": False})


def test_only_the_files_that_the_study_names_are_read(base: dict[str, Path], folder: Path, tmp_path: Path) -> None:
    theirs = their_adapters(folder, tmp_path / "theirs", "diffusers, no scale")
    (tmp_path / "theirs" / FILE).rename(tmp_path / "theirs/style.safetensors")
    save_file({name: tensor * 0 for name, tensor in lora.learned(theirs).items()}, tmp_path / "theirs" / FILE)
    manifest = tmp_path / "weights/manifest.json"
    fetch("mine", {"folder": str(tmp_path / "theirs"), "files": ["style.safetensors"], "sha256": {}}, manifest)
    architecture, tensors = read_adapters.read(ADAPTERS, manifest, (4, 8, 8), base)
    ours = build(architecture, 7, base)
    lora.load(ours, tensors)
    assert torch.allclose(predicted(ours), predicted(theirs), atol=1e-5)
    unet_2d().save_pretrained(tmp_path / "unet")
    fetch("mine", {"folder": str(tmp_path / "unet"), "files": ["*.json"], "sha256": {}}, manifest)
    with pytest.raises(UserError, match=r"diffusion_pytorch_model.safetensors: found a file of the model that"):
        read_unet.read({}, manifest, (1, 8, 8), {})


def test_adapters_that_changed_the_base_are_refused(base: dict[str, Path], folder: Path, tmp_path: Path) -> None:
    their_adapters(folder, tmp_path / "theirs", "peft")
    edit(tmp_path / "theirs/adapter_config.json", init_lora_weights="olora")
    with pytest.raises(UserError, match="found LORA with init_lora_weights 'olora', expected"):
        read_adapters.read(ADAPTERS, announced(tmp_path / "theirs"), (4, 8, 8), base)


def test_a_loaded_network_drops_nothing_out(tmp_path: Path) -> None:
    """Who does not train it takes it as it is: a network with dropout gives the same numbers twice."""
    model = unet_2d(dropout=0.5)
    architecture = {"kind": "unet", **{k: v for k, v in model.config.items() if not k.startswith("_")}}
    save_model(tmp_path, model, {"architecture": architecture, "diffusion": {}, "latents": None}, {})
    assert not load_model(tmp_path)[0].training


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    unet_2d().save_pretrained(tmp_path / "theirs", safe_serialization=False)
    with pytest.raises(UserError, match="found no UNet2DModel that can be loaded"):
        read_unet.read({}, announced(tmp_path / "theirs"), (1, 8, 8), {})
