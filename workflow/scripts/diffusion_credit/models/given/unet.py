"""A UNet2DModel that was saved by itself, or in the folder `unet` of a pipeline."""

from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d import UNet2DModel

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.networks.unet import learned
from diffusion_credit.models.pretrained import check_shapes, load_given


def read(
    options: dict[str, Any], given: Path, shape: tuple[int, int, int], weights: dict[str, Path]
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Architecture and weights of a UNet2DModel, saved by itself or as the `unet` of a pipeline."""
    model, file = load_given(UNet2DModel, given, "unet")
    config = model.config
    if config.class_embed_type or config.num_class_embeds:
        raise UserError(f"{file}: found a network that is told classes, expected one that is told nothing")
    size = config.sample_size
    height, width = size if isinstance(size, list | tuple) else (size, size) if size else shape[1:]
    check_shapes(file, (config.in_channels, height, width), config.out_channels, shape)
    architecture = {key: value for key, value in config.items() if not key.startswith("_")}
    return {"kind": "unet", **architecture, "sample_size": [height, width]}, learned(model)
