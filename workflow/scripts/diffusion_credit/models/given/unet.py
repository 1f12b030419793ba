"""A UNet2DModel that was saved by itself, or in the folder `unet` of a pipeline."""

from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d import UNet2DModel

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import read_json
from diffusion_credit.models.networks.unet import learned
from diffusion_credit.models.pretrained import load_pretrained
from diffusion_credit.models.weights import listed_in, open_weights


def read(
    options: dict[str, Any], given: Path, shape: tuple[int, int, int], weights: dict[str, Path]
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Architecture and weights of a UNet2DModel, saved by itself or as the `unet` of a pipeline."""
    folder, listed = open_weights(given), listed_in(given)
    part = "unet/" if (folder / "unet").is_dir() else ""
    folder = folder / part
    file = folder / "config.json"
    said = read_json(file)
    if (found := said.get("_class_name") if isinstance(said, dict) else said) != "UNet2DModel":
        raise UserError(f"{file}: found {found!r:.60}, expected a UNet2DModel")
    for path in (file, *sorted(folder.glob("diffusion_pytorch_model*.safetensors*"))):
        if part + path.name not in listed:
            raise UserError(
                f"{path}: found a file of the model that the weights' `files` leave out, expected all of it"
            )
    model = load_pretrained(UNet2DModel, folder, "cpu")
    config = model.config
    if config.class_embed_type or config.num_class_embeds:
        raise UserError(f"{file}: found a network that is told classes, expected one that is told nothing")
    size = config.sample_size
    height, width = size if isinstance(size, list | tuple) else (size, size) if size else shape[1:]
    if (config.in_channels, config.out_channels, height, width) != (shape[0], *shape):
        raise UserError(
            f"{file}: found a network from {config.in_channels} to {config.out_channels} channels of"
            f" {height} x {width}, expected {shape[0]} channels of {shape[1]} x {shape[2]}, as the images have"
            " (data.size, data.mode)"
        )
    architecture = {key: value for key, value in config.items() if not key.startswith("_")}
    return {"kind": "unet", **architecture, "sample_size": [height, width]}, learned(model)
