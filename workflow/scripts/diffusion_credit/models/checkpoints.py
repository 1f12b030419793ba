"""Diffusion models as folders of safetensors and JSON, full or pruned, and how to build, load and save them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import CONFIG, announce, read_json, read_manifest, replacing, write_json
from diffusion_credit.base.plugins import module_of

WEIGHTS = "model.safetensors"


def build(architecture: dict[str, Any], seed: int, weights: dict[str, Path]) -> nn.Module:
    """A randomly initialised network. weights: name -> manifest of what is pretrained in it."""
    model: nn.Module = module_of("networks", architecture["kind"]).build(architecture, seed, weights)
    return model


def reinitialise(model: nn.Module, architecture: dict[str, Any], seed: int) -> None:
    """Draw the learned weights anew: the untrained network of the same widths."""
    module_of("networks", architecture["kind"]).reinitialise(model, seed)


def parameters(model: nn.Module) -> list[nn.Parameter]:
    """The weights that training changes."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def count_parameters(model: nn.Module) -> int:
    """Number of learned weights."""
    return sum(parameter.numel() for parameter in parameters(model))


def save_model(
    folder: str | Path,
    model: nn.Module,
    config: dict[str, Any],
    provenance: dict[str, Any],
    earlier: Sequence[list[torch.Tensor]] = (),
) -> None:
    """Write a checkpoint and announce it. config: `architecture` and `diffusion`, what loading and sampling need.

    earlier: learned weights from along the training, in the order of `parameters`, for `checkpoint_file`.
    """
    folder = Path(folder)
    learned = module_of("networks", config["architecture"]["kind"]).learned
    final = [parameter.detach().clone() for parameter in parameters(model)]
    files = {checkpoint_file(at): tensors for at, tensors in enumerate(earlier)} | {WEIGHTS: final}
    for file, tensors in files.items():
        with torch.no_grad():
            torch._foreach_copy_([*parameters(model)], tensors)
        with replacing(folder / file) as temporary:
            save_file({name: tensor.detach().cpu().contiguous() for name, tensor in learned(model).items()}, temporary)
    write_json(folder / CONFIG, {**config, "parameters": count_parameters(model)})
    announce(folder, [*files, CONFIG], provenance=provenance)


def read_config(folder: str | Path) -> dict[str, Any]:
    """The config.json of a checkpoint folder: `architecture`, `diffusion`, `latents`."""
    config: dict[str, Any] = read_json(Path(folder) / CONFIG)
    return config


def checkpoint_file(at: int) -> str:
    """Name of the weights number `at` from along a training."""
    return f"checkpoint-{at}.safetensors"


def load_model(
    folder: str | Path, device: str = "cpu", weights: dict[str, Path] | None = None, file: str = WEIGHTS
) -> tuple[nn.Module, dict[str, Any]]:
    """The network in a checkpoint folder, full or pruned, and its config.json.

    weights: name -> manifest of what is pretrained in it; a network trained from scratch needs none. file: of the
    weights, other than the last ones. Raises UserError naming the file that is missing, damaged, or differs from the
    folder's manifest.
    """
    folder = Path(folder)
    read_manifest(folder)
    config = read_config(folder)
    try:
        tensors = load_file(folder / file)
    except SafetensorError as error:
        raise UserError(f"{folder / file}: not a safetensors file ({error})") from None
    model = build(config["architecture"], seed=0, weights=weights or {})
    module_of("networks", config["architecture"]["kind"]).load(model, tensors)
    return model.to(device), config
