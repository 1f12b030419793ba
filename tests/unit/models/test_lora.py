"""Adapters: checkpoints of the adapters alone, pruned ranks by hand, F(empty) is the base model."""

from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from pipelines import announced, write_stable_diffusion

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.checkpoints import (
    build,
    count_parameters,
    load_model,
    parameters,
    reinitialise,
    save_model,
)
from diffusion_credit.models.networks import lora
from diffusion_credit.models.pruning import lora as pruning
from diffusion_credit.models.weights import open_weights

X, T = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1)), torch.tensor([3, 900])
STATES = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(2))  # of the empty text, and of another
OPTIONS = {"family": "stable_diffusion", "base": "sd", "base_precision": "float32", "rank": 4}
ARCHITECTURE = lora.architecture(OPTIONS, (4, 8, 8))
LAYERS = ("to_q", "to_k", "to_v", "to_out.0")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {"sd": announced(write_stable_diffusion(tmp_path_factory.mktemp("weights") / "sd"))}


def predicted(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return lora.denoiser(model.eval(), ARCHITECTURE, {"states": STATES}, guidance=1)(X, T, torch.tensor([1, 1]))


def trained(weights: dict[str, Path]) -> torch.nn.Module:
    """Adapters as a training leaves them: none is zero."""
    model = build(ARCHITECTURE, 1, weights)
    torch.manual_seed(5)
    for parameter in parameters(model):
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def test_new_adapters_are_the_base_model(weights: dict[str, Path]) -> None:
    base = UNet2DConditionModel.from_pretrained(open_weights(weights["sd"]) / "unet").eval()
    with torch.inference_mode():
        expected = base(X, T, encoder_hidden_states=STATES[1:].expand(2, -1, -1)).sample
    model = build(ARCHITECTURE, 1, weights)
    assert torch.equal(predicted(model), expected)
    model = trained(weights)
    assert not torch.allclose(predicted(model), expected, atol=1e-2)
    reinitialise(model, ARCHITECTURE, 2)
    assert torch.equal(predicted(model), expected)


def test_a_checkpoint_holds_the_adapters_alone_and_loads_back(weights: dict[str, Path], tmp_path: Path) -> None:
    model = trained(weights)
    save_model(tmp_path, model, {"architecture": ARCHITECTURE, "diffusion": {}, "latents": None}, {})
    # rank x (inputs + outputs): 2 attentions of width 8, twice in the down block and thrice... counted from the base
    layers = [m for name, m in model.named_modules() if name.endswith(tuple(f"{x}.base_layer" for x in LAYERS))]
    expected = sum(4 * (layer.in_features + layer.out_features) for layer in layers)
    assert (tmp_path / lora.WEIGHTS).stat().st_size < 4 * expected + 20_000
    loaded, config = load_model(tmp_path, weights=weights)
    assert config["parameters"] == count_parameters(loaded) == expected
    assert torch.equal(predicted(loaded), predicted(model))


@pytest.mark.parametrize("given", [None, {}, {"other": Path("x")}])
def test_adapters_without_their_base_are_one_sentence(
    weights: dict[str, Path], tmp_path: Path, given: dict[str, Path] | None
) -> None:
    save_model(tmp_path, trained(weights), {"architecture": ARCHITECTURE, "diffusion": {}}, {})
    with pytest.raises(UserError, match=r"weights: found no 'sd', expected the base that the adapters were trained on"):
        load_model(tmp_path, weights=given)
    gone = {"sd": tmp_path / "nowhere/manifest.json"}
    with pytest.raises(UserError, match=r"nowhere/.*json: not found"):
        load_model(tmp_path, weights=gone)


def test_pruning_keeps_the_ranks_of_largest_norm_and_what_they_do(weights: dict[str, Path]) -> None:
    """Ranks 0 and 3 of every adapter are made nearly dead; without them the network does the same."""
    model = trained(weights)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".lora_A." in name:
                parameter[[0, 3]] *= 1e-6
            elif ".lora_B." in name:
                parameter[:, [0, 3]] *= 1e-6
    before, kept = predicted(model), {name: tensor.clone() for name, tensor in lora.learned(model).items()}
    architecture = pruning.prune(model, ARCHITECTURE, {"ratio": 0.5})
    assert architecture["rank"] == 2
    assert torch.allclose(predicted(model), before, atol=1e-5)
    for name, tensor in lora.learned(model).items():
        assert torch.equal(tensor, kept[name][[1, 2]] if name.endswith(pruning.DOWN) else kept[name][:, [1, 2]])
    assert all(parameter.requires_grad == ("lora_" in name) for name, parameter in model.named_parameters())


@pytest.mark.parametrize("ratio", [0.1, 0.9])
def test_a_ratio_that_removes_no_or_every_rank_is_refused(ratio: float) -> None:
    options = lora.Options(kind="lora", base="sd", rank=4, prompt="a painting")
    options.check_pruning(0.5)
    with pytest.raises(ValueError, match=rf"pruning\.ratio: found {ratio}"):
        options.check_pruning(ratio)


def test_adapters_of_another_base_are_refused(weights: dict[str, Path]) -> None:
    model = trained(weights)
    tensors = lora.learned(model)
    name = next(name for name in tensors if "attn2.to_k.lora_A" in name)
    with pytest.raises(UserError, match=r"attn2\.to_k\.lora_A.*found shape \(4, 7\), expected \(4, 16\)"):
        lora.load(model, {**tensors, name: torch.zeros(4, 7)})


def test_latents_of_other_channels_are_refused(weights: dict[str, Path]) -> None:
    with pytest.raises(UserError, match="found a network for latents of 4 channels, expected 3"):
        build({**ARCHITECTURE, "out_channels": 3}, 1, weights)


def test_the_next_checkpoint_takes_the_base_of_the_one_before(weights: dict[str, Path], tmp_path: Path) -> None:
    """Unless its adapters are of another rank, as a pruned model's are."""
    config = {"architecture": ARCHITECTURE, "diffusion": {}, "latents": None}
    models = {name: trained(weights) for name in ("first", "second")}
    for parameter in parameters(models["second"]):
        torch.nn.init.normal_(parameter, std=0.3)
    expected = {name: predicted(model) for name, model in models.items()}
    for name, model in models.items():
        save_model(tmp_path / name, model, config, {})
    pruned = pruning.prune(models["first"], ARCHITECTURE, {"ratio": 0.5})
    save_model(tmp_path / "pruned", models["first"], {**config, "architecture": pruned}, {})
    first = load_model(tmp_path / "first", weights=weights)
    second = load_model(tmp_path / "second", weights=weights, earlier=first)
    assert second[0] is first[0] and torch.equal(predicted(second[0]), expected["second"])
    assert not torch.allclose(expected["first"], expected["second"], atol=1e-2)
    third = load_model(tmp_path / "pruned", weights=weights, earlier=second)
    assert third[0] is not second[0] and torch.equal(predicted(third[0]), predicted(models["first"]))
