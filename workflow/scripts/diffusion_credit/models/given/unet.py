"""A UNet2DModel that was saved by itself, or in the folder `unet` of a pipeline."""

from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d import UNet2DModel

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import read_json
from diffusion_credit.models.networks.unet import learned
from diffusion_credit.models.pretrained import load_pretrained


def read(
    options: dict[str, Any], folder: Path, shape: tuple[int, int, int], weights: dict[str, Path]
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Architecture and weights of a UNet2DModel, saved by itself or as the `unet` of a pipeline."""
    folder = folder / "unet" if (folder / "unet").is_dir() else folder
    file = folder / "config.json"
    if (found := read_json(file).get("_class_name")) != "UNet2DModel":
        raise UserError(f"{file}: found a {found}, expected a UNet2DModel")
    model = load_pretrained(UNet2DModel, folder, "cpu")
    config = model.config
    if config.class_embed_type or config.num_class_embeds:
        raise UserError(f"{file}: found a network that is told classes, expected one that is told nothing")
    size = config.sample_size
    height, width = size if isinstance(size, list | tuple) else (size, size)
    if (config.in_channels, config.out_channels, height, width) != (shape[0], *shape):
        raise UserError(
            f"{file}: found a network from {config.in_channels} to {config.out_channels} channels of"
            f" {height} x {width}, expected {shape[0]} channels of {shape[1]} x {shape[2]}, as the images have"
            " (data.size, data.mode)"
        )
    architecture = {key: value for key, value in config.items() if not key.startswith("_")}
    return {"kind": "unet", **architecture, "sample_size": [height, width]}, learned(model)
