"""Diffusion models as folders of safetensors and JSON, full or pruned, and how to build, load and save them.

A pruned network cannot be described by its architecture alone; its widths are read off the shapes of the
weights, so no pickled module and no pruning history is needed.
"""

from pathlib import Path
from typing import Any

import torch
from diffusers.models.downsampling import Downsample2D
from diffusers.models.unets.unet_2d import UNet2DModel
from diffusers.models.upsampling import Upsample2D
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from diffusion_credit.errors import UserError
from diffusion_credit.files import CONFIG, announce, read_json, read_manifest, replacing, write_json

WEIGHTS = "model.safetensors"


def architecture(options: dict[str, Any], shape: tuple[int, int, int]) -> dict[str, Any]:
    """UNet2DModel's arguments for images of shape (height, width, channels) and the study's `model` options."""
    height, width, channels = shape
    attention = options["attention"]
    levels = range(len(options["channels"]))
    return {
        "sample_size": [height, width],
        "in_channels": channels,
        "out_channels": channels,
        "block_out_channels": list(options["channels"]),
        "layers_per_block": options["layers_per_block"],
        "norm_num_groups": options["norm_groups"],
        "down_block_types": ["AttnDownBlock2D" if i in attention else "DownBlock2D" for i in levels],
        "up_block_types": ["AttnUpBlock2D" if i in attention else "UpBlock2D" for i in reversed(levels)],
        "add_attention": bool(attention),
        "attention_head_dim": None,
    }


def build(arguments: dict[str, Any], seed: int) -> UNet2DModel:
    """A randomly initialised network; the caller's random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return UNet2DModel(**arguments)


def fit_widths(model: UNet2DModel, shapes: dict[str, tuple[int, ...]]) -> None:
    """Resize every layer of `model` to the shapes of a pruned network's weights; values are undefined after."""
    for name, module in model.named_modules():
        shape = shapes.get(f"{name}.weight")
        if shape is None or tuple(module.weight.shape) == shape:
            continue
        if isinstance(module, nn.Conv2d):
            module.out_channels, module.in_channels = shape[:2]
        elif isinstance(module, nn.Linear):
            module.out_features, module.in_features = shape
        elif isinstance(module, nn.GroupNorm):
            module.num_channels = shape[0]
        else:
            raise ValueError(f"{name}: a {type(module).__name__} cannot be resized")
        for parameter in ("weight", "bias"):
            if getattr(module, parameter) is not None:
                setattr(module, parameter, nn.Parameter(torch.empty(shapes[f"{name}.{parameter}"])))
    match_resampling(model)


def match_resampling(model: UNet2DModel) -> None:
    """diffusers' resampling layers keep the widths of their convolution as attributes and assert them."""
    for module in model.modules():
        if isinstance(module, Downsample2D | Upsample2D) and isinstance(module.conv, nn.Conv2d):
            module.channels, module.out_channels = module.conv.in_channels, module.conv.out_channels


def reinitialise(model: UNet2DModel, seed: int) -> None:
    """Draw all weights anew: the untrained network of the same widths."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear | nn.GroupNorm):
                module.reset_parameters()


def count_parameters(model: nn.Module) -> int:
    """Number of weights."""
    return sum(parameter.numel() for parameter in model.parameters())


def save_model(folder: str | Path, model: UNet2DModel, config: dict[str, Any], provenance: dict[str, Any]) -> None:
    """Write a checkpoint and announce it. config: `architecture` and `diffusion`, what loading and sampling need."""
    folder = Path(folder)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with replacing(folder / WEIGHTS) as temporary:
        save_file(weights, temporary)
    write_json(folder / CONFIG, {**config, "parameters": count_parameters(model)})
    announce(folder, [WEIGHTS, CONFIG], provenance=provenance)


def load_model(folder: str | Path, device: str = "cpu") -> tuple[UNet2DModel, dict[str, Any]]:
    """The network in a checkpoint folder, full or pruned, and its config.json.

    Raises UserError naming the file that is missing, damaged, or differs from the folder's manifest.
    """
    folder = Path(folder)
    read_manifest(folder)
    config: dict[str, Any] = read_json(folder / CONFIG)
    try:
        weights = load_file(folder / WEIGHTS)
    except SafetensorError as error:
        raise UserError(f"{folder / WEIGHTS}: not a safetensors file ({error})") from None
    model = build(config["architecture"], seed=0)
    fit_widths(model, {name: tuple(tensor.shape) for name, tensor in weights.items()})
    model.load_state_dict(weights)
    return model.to(device), config
