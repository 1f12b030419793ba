"""Structural magnitude pruning of a diffusion transformer: whole attention heads, and hidden units of the MLPs.

By hand: a group is one head or one unit of one block, because the width of the tokens, which alone ties layers to each
other, stays.
"""

from typing import Any

import torch
from diffusers.models.transformers.dit_transformer_2d import DiTTransformer2DModel
from torch import nn

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.networks.dit import kept, match_heads


def prune(model: DiTTransformer2DModel, architecture: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Remove the share `ratio` of each block's heads and hidden units, those of smallest L2 norm.

    The norm is over all weights that fall away with a head or a unit, a group of DepGraph (DOI
    10.1109/CVPR52729.2023.01544). Raises UserError when rounding leaves less than half of the asked share removed, or
    the MLPs are of another kind.
    """
    config = model.config
    if not config.activation_fn.startswith("gelu"):  # in others two rows belong to a unit
        raise UserError(
            f"config: pruning: found a network with the activation {config.activation_fn}, expected gelu or"
            " gelu-approximate"
        )
    heads, head_width = config.num_attention_heads, config.attention_head_dim
    try:
        of_heads, of_units = kept(heads, heads * head_width, options["ratio"])
    except ValueError as error:
        raise UserError(f"config: {error}") from None
    for block in model.transformer_blocks:
        attention, (inward, _, outward) = block.attn1, block.ff.net
        _keep([attention.to_q, attention.to_k, attention.to_v], attention.to_out[0], head_width, of_heads)
        _keep([inward.proj], outward, 1, of_units)
    match_heads(model)
    return {**architecture, "pruned": True}


@torch.no_grad()
def _keep(inward: list[nn.Linear], outward: nn.Linear, size: int, count: int) -> None:
    """Keep, in their order, the `count` groups of `size` numbers whose weights into and out of them are the largest."""
    into = [
        tensor.reshape(len(tensor), -1)
        for layer in inward
        for tensor in (layer.weight, layer.bias)
        if tensor is not None
    ]
    squares = torch.cat([*into, outward.weight.T], dim=1).square().sum(1).unflatten(0, (-1, size)).sum(1)
    chosen = squares.sort(descending=True, stable=True).indices[:count].sort().values
    rows = (chosen[:, None] * size + torch.arange(size, device=chosen.device)).flatten()
    for layer in inward:
        layer.out_features, layer.weight = len(rows), nn.Parameter(layer.weight[rows])
        if layer.bias is not None:
            layer.bias = nn.Parameter(layer.bias[rows])
    outward.in_features, outward.weight = len(rows), nn.Parameter(outward.weight[:, rows])
