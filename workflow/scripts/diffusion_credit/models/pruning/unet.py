"""Structural magnitude pruning of a diffusion U-Net."""

from typing import Any

import torch
import torch_pruning
from diffusers.models.attention_processor import Attention
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d import UNet2DModel
from torch import nn

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.networks.unet import match_resampling
from diffusion_credit.models.pretrained import first_line


def prune(model: UNet2DModel, architecture: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Remove the share `ratio` of each layer's channels, those of smallest L2 norm; the architecture says only that.

    The achieved share of parameters differs: widths stay multiples of the normalisation's groups, and the
    output and, unless it is asked for, the time embedding keep theirs. Raises UserError when rounding leaves less than
    half of the asked share removed, as very high ratios do. Source: Fang et al., DepGraph, DOI
    10.1109/CVPR52729.2023.01544.
    """
    ratio = options["ratio"]
    height, width = model.config.sample_size
    timestep = torch.zeros(1, dtype=torch.long)
    example = {"sample": torch.zeros(1, model.config.in_channels, height, width), "timestep": timestep}
    heads = {}
    for module in model.modules():
        if isinstance(module, Attention) and module.heads > 1:
            heads.update(dict.fromkeys((module.to_q, module.to_k, module.to_v), module.heads))
    kept = [model.conv_out, *([] if options["time_embedding"] else [model.time_embedding])]
    # scale and shift lie one after the other in one layer, whose widths would not stay multiples of the groups
    kept += [
        block.time_emb_proj
        for block in model.modules()
        if isinstance(block, ResnetBlock2D) and block.time_embedding_norm == "scale_shift"
    ]
    before = _width(model)
    try:
        torch_pruning.pruner.MagnitudePruner(
            model,
            example,
            importance=torch_pruning.importance.MagnitudeImportance(p=2),
            pruning_ratio=ratio,
            ignored_layers=kept,
            num_heads=heads,
            prune_num_heads=False,
            prune_head_dims=True,
        ).step()
        match_resampling(model)
        with torch.inference_mode():
            model(**example)
    except Exception as error:  # torch-pruning and the network raise whatever comes
        blocks = sorted({*model.config.down_block_types, *model.config.up_block_types})
        raise UserError(
            f"config: pruning.ratio: found {ratio}, by which a network of {', '.join(blocks)} cannot be pruned"
            f" ({first_line(error)}); expected another ratio or another network"
        ) from None
    removed = 1 - _width(model) / before
    if removed < ratio / 2:
        raise UserError(
            f"config: pruning.ratio: found {ratio}, but rounding to the normalisation's groups removes only"
            f" {removed:.0%} of the channels, expected about {ratio:.0%}; choose another ratio or fewer norm_groups"
        )
    return {**architecture, "pruned": True}


def _width(model: UNet2DModel) -> int:
    return sum(module.out_channels for module in model.modules() if isinstance(module, nn.Conv2d))
