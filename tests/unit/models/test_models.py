"""Checkpoints: pruned networks load back exactly, and nothing is guessed about damaged ones."""

from pathlib import Path

import pytest
import torch

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.checkpoints import build, count_parameters, load_model, reinitialise, save_model
from diffusion_credit.models.networks import unet
from diffusion_credit.models.pruning import unet as pruning

NETWORKS = {
    "no attention": unet.Options(kind="unet", channels=[8, 16], layers_per_block=1, norm_groups=4).model_dump(),
    "attention": unet.Options(
        kind="unet", channels=[16, 32], layers_per_block=2, norm_groups=8, attention=[1]
    ).model_dump(),
    "heads": unet.Options(
        kind="unet", channels=[16, 32], layers_per_block=1, norm_groups=4, attention=[0, 1], head_width=8
    ).model_dump(),
}


def network(name: str) -> tuple[torch.nn.Module, dict]:
    arguments = unet.architecture(NETWORKS[name], (3, 8, 8))
    return build(arguments, 1, {}).eval(), {"architecture": arguments, "diffusion": {}}


def prune(model: torch.nn.Module, ratio: float) -> None:
    pruning.prune(model, {}, {"ratio": ratio, "time_embedding": False})


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.5])
def test_a_network_loads_back_with_identical_outputs(name: str, ratio: float, tmp_path: Path) -> None:
    model, config = network(name)
    before = count_parameters(model)
    if ratio:
        prune(model, ratio)
        assert count_parameters(model) < before
    x, t = torch.randn(2, 3, 8, 8), torch.tensor([3, 900])
    save_model(tmp_path, model, config, {})
    loaded, found = load_model(tmp_path)
    assert found["parameters"] == count_parameters(model) == count_parameters(loaded)
    with torch.inference_mode():
        assert torch.equal(loaded.eval()(x, t).sample, model.eval()(x, t).sample)
    # and it trains: every weight gets a gradient
    loaded(x, t).sample.square().mean().backward()
    assert all(parameter.grad is not None for parameter in loaded.parameters())


def test_pruning_keeps_the_widest_share_of_each_layer() -> None:
    model, _ = network("no attention")
    prune(model, 0.5)
    # half of 8 and of 16 channels; input and output stay
    assert tuple(model.conv_in.weight.shape) == (4, 3, 3, 3)
    assert tuple(model.conv_out.weight.shape) == (3, 4, 3, 3)


@pytest.mark.parametrize("ratio", [0.9, 0.97])
def test_a_ratio_that_rounding_undoes_is_refused(ratio: float) -> None:
    model, _ = network("no attention")
    with pytest.raises(UserError, match=rf"pruning\.ratio: found {ratio}"):
        prune(model, ratio)


def test_pruning_removes_the_channels_of_smallest_norm() -> None:
    """Half of the channels of every normalisation group are made nearly dead: these go, the others stay."""
    model, _ = network("no attention")
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Conv2d):
                groups = module.weight.unflatten(0, (4, -1)) if module is not model.conv_out else module.weight[:0]
                groups[:, : max(1, groups.shape[1] // 2)] *= 1e-3
    kept = model.conv_in.weight[1::2].clone()
    prune(model, 0.5)
    assert torch.equal(model.conv_in.weight, kept)


def test_the_untrained_network_keeps_the_pruned_widths_and_depends_on_the_seed() -> None:
    model, _ = network("no attention")
    prune(model, 0.5)
    shapes = [p.shape for p in model.parameters()]
    weights = []
    for seed in (1, 1, 2):
        reinitialise(model, {"kind": "unet"}, seed)
        weights.append(model.conv_in.weight.detach().clone())
    assert [p.shape for p in model.parameters()] == shapes
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_initialising_leaves_the_callers_random_state_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    network("no attention")
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("damage", ["truncated", "changed", "missing"])
def test_a_damaged_checkpoint_is_refused_by_name(damage: str, tmp_path: Path) -> None:
    model, config = network("no attention")
    save_model(tmp_path, model, config, {})
    weights = tmp_path / unet.WEIGHTS
    data = weights.read_bytes()
    weights.unlink()
    if damage != "missing":
        weights.write_bytes(data[: len(data) // 2] if damage == "truncated" else data[:-1] + b"\x01")
    with pytest.raises(UserError, match=r"diffusion_pytorch_model\.safetensors"):
        load_model(tmp_path)
