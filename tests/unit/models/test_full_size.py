"""The papers' networks at full size: parameters before and after pruning, and the pruned checkpoint's way to disk."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from diffusers import UNet2DConditionModel, UNet2DModel
from pipelines import announced
from studies import ROOT

from diffusion_credit.base.plugins import module_of
from diffusion_credit.models.checkpoints import build, count_parameters, load_model, parameters, save_model
from diffusion_credit.models.networks import lora, unet
from diffusion_credit.study.config import plain, read_study

# Stable Diffusion 1's U-Net; all else is diffusers' default
STABLE_DIFFUSION = {"sample_size": 32, "cross_attention_dim": 768, "attention_head_dim": 8}


def study(name: str) -> Any:
    return read_study(yaml.safe_load((ROOT / f"config/studies/{name}.yaml").read_text()))


def check(folder: Path, model: Any, architecture: dict, weights: dict, shape: tuple, conditions: dict) -> None:
    """One pass back and forth, then to disk and back: outputs identical."""
    network = lora if architecture["kind"] == "lora" else unet
    x, t = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0)), torch.tensor([500])
    label = [torch.tensor([0])] if conditions else []
    output = network.denoiser(model.eval(), architecture, conditions, guidance=1)(x, t, *label)
    output.square().mean().backward()
    assert all(bool(torch.isfinite(parameter.grad).all()) for parameter in parameters(model))
    config = {"architecture": architecture, "diffusion": {}, "latents": None}
    save_model(folder, model, config, {})
    expected, count = output.detach(), count_parameters(model)
    del model, output
    loaded, found = load_model(folder, weights=weights)
    assert count_parameters(loaded) == found["parameters"] == count
    with torch.inference_mode():
        again = network.denoiser(loaded.eval(), architecture, conditions, guidance=1)(x, t, *label)
        assert torch.equal(again, expected)


@pytest.mark.parametrize(
    ("name", "shape", "published", "pruned"),
    [("cifar20", (3, 32, 32), 35.7e6, 19.8e6), ("celebahq", (3, 64, 64), 274e6, 70.9e6)],
)
def test_the_papers_u_nets_prune_to_their_published_size(
    name: str, shape: tuple[int, int, int], published: float, pruned: float, tmp_path: Path
) -> None:
    options = study(name)
    architecture = unet.architecture(plain(options.model), shape)
    model = build(architecture, 0, {})
    assert count_parameters(model) == pytest.approx(published, rel=0.003)
    module_of("pruning", "unet").prune(model, architecture, plain(options.pruning))
    assert count_parameters(model) == pytest.approx(pruned, rel=0.03)
    check(tmp_path, model, architecture, {}, shape, {})


def test_d_traks_u_net_has_its_published_size() -> None:
    """With a time embedding that scales and shifts."""
    with torch.device("meta"):  # shapes alone
        architecture = unet.architecture(plain(study("dtrak_cifar2").model), (3, 32, 32))
        model = UNet2DModel(**{key: value for key, value in architecture.items() if key not in unet.OURS})
    assert count_parameters(model) == pytest.approx(38.3e6, rel=0.001)


def test_half_of_the_ranks_of_stable_diffusions_adapters_go(tmp_path: Path) -> None:
    options = study("artbench")
    base = tmp_path / "base"
    UNet2DConditionModel(**STABLE_DIFFUSION).to(torch.float16).save_pretrained(base / "unet")
    weights = {"stable_diffusion": announced(base)}
    architecture = lora.architecture(plain(options.model), (4, 32, 32))
    model = build(architecture, 0, weights)
    # rank 256 x (inputs + outputs) of four projections, in self- and cross-attention, in the 16 transformer blocks
    blocks = {320: 5, 640: 5, 1280: 6}
    inner, outer = (
        sum(n * (4 * 2 * width) for width, n in blocks.items()),
        sum(n * (2 * 2 * width + 2 * (768 + width)) for width, n in blocks.items()),
    )
    assert count_parameters(model) == 256 * (inner + outer)
    for parameter in parameters(model):
        torch.nn.init.normal_(parameter, std=0.02)
    architecture = module_of("pruning", "lora").prune(model, architecture, plain(options.pruning))
    assert count_parameters(model) == 128 * (inner + outer)
    conditions = {"states": torch.zeros(1, 77, 768)}
    check(tmp_path / "pruned", model, architecture, weights, (4, 32, 32), conditions)
