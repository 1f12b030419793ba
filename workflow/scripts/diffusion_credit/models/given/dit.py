"""A DiTTransformer2DModel that was saved by itself, or in the folder `transformer` of a pipeline."""

from pathlib import Path
from typing import Any

import torch
from diffusers.models.transformers.dit_transformer_2d import DiTTransformer2DModel

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.networks.dit import learned
from diffusion_credit.models.pretrained import check_shapes, load_given


def read(
    options: dict[str, Any], given: Path, shape: tuple[int, int, int], weights: dict[str, Path]
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Architecture and weights of a DiTTransformer2DModel, saved by itself or as the `transformer` of a pipeline."""
    model, file = load_given(DiTTransformer2DModel, given, "transformer")
    config = model.config
    if config.num_embeds_ada_norm != 1:
        raise UserError(
            f"{file}: found a network that is told {config.num_embeds_ada_norm} classes, expected one that is told"
            " nothing (num_embeds_ada_norm = 1)"
        )
    if model.out_channels == 2 * config.in_channels:
        raise UserError(f"{file}: found a network that also predicts variances, expected one that does not")
    check_shapes(file, (config.in_channels, config.sample_size, config.sample_size), model.out_channels, shape)
    architecture = {key: value for key, value in config.items() if not key.startswith("_")}
    sizes = {"sample_size": [config.sample_size] * 2, "out_channels": model.out_channels}
    return {"kind": "dit", **architecture, **sizes}, learned(model)
