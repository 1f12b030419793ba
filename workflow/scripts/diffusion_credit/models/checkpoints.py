"""Diffusion models as folders of safetensors and JSON, full or pruned, and how to build, load and save them.

A folder holds the weights under the name by which diffusers knows them, and, where one of its classes can hold the
network, that class's own config.json. CHECKPOINT says what else we need to build, train and sample it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import CHECKPOINT, CONFIG, announce, read_json, read_manifest, replacing, write_json
from diffusion_credit.base.plugins import module_of

LAST = ""  # the weights at the end of a training, whatever a network calls their file


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
    network = module_of("networks", config["architecture"]["kind"])
    final = [parameter.detach().clone() for parameter in parameters(model)]
    files = {checkpoint_file(at): tensors for at, tensors in enumerate(earlier)} | {network.WEIGHTS: final}
    for file, tensors in files.items():
        with torch.no_grad():
            torch._foreach_copy_([*parameters(model)], tensors)
        with replacing(folder / file) as temporary:
            save_file(
                {name: tensor.detach().cpu().contiguous() for name, tensor in network.learned(model).items()}, temporary
            )
    write_json(folder / CHECKPOINT, {**config, "parameters": count_parameters(model)})
    stock = network.stock(model, config["architecture"])
    if stock is not None:
        write_json(folder / CONFIG, stock)
    announce(folder, [*files, CHECKPOINT, *([CONFIG] if stock is not None else [])], provenance=provenance)


def read_config(folder: str | Path) -> dict[str, Any]:
    """What a checkpoint folder says of its network: `architecture`, `diffusion`, `latents`, `parameters`."""
    config: dict[str, Any] = read_json(Path(folder) / CHECKPOINT)
    return config


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file by name. Raises UserError when it is no safetensors file."""
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(f"{path}: not a safetensors file ({error})") from None


def checkpoint_file(at: int) -> str:
    """Name of the weights number `at` from along a training."""
    return f"checkpoint-{at}.safetensors"


def load_model(
    folder: str | Path,
    device: str = "cpu",
    weights: dict[str, Path] | None = None,
    file: str = LAST,
    earlier: tuple[nn.Module, dict[str, Any]] | None = None,
) -> tuple[nn.Module, dict[str, Any]]:
    """The network in a checkpoint folder, full or pruned, and what `read_config` finds.

    weights: name -> manifest of what is pretrained in it; a network trained from scratch needs none. file: of the
    weights, where these are not the last ones. earlier: what this function gave before; if that is a network of the
    same architecture it takes the weights, so that a large frozen base is loaded once. Raises UserError naming the file
    that is missing, damaged, or differs from the folder's manifest.
    """
    folder = Path(folder)
    read_manifest(folder)
    config = read_config(folder)
    network = module_of("networks", config["architecture"]["kind"])
    tensors = read_tensors(folder / (file or network.WEIGHTS))
    alike = earlier is not None and earlier[1]["architecture"] == config["architecture"]
    model = earlier[0] if earlier and alike else build(config["architecture"], 0, weights or {})
    network.load(model, tensors)
    return model.eval().to(device), config
