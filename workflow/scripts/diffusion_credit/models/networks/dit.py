"""A diffusion transformer on pixels, or on the latents of a frozen autoencoder: diffusers' DiTTransformer2DModel.

Source: Peebles and Xie, Scalable Diffusion Models with Transformers, arXiv 2212.09748. As in every checkpoint of
diffusers, each block embeds times and classes by weights of its own. A pruned network has fewer heads or narrower
MLPs than its config says; both are read off the shapes of the weights.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import FromScratchSection

if TYPE_CHECKING:  # the Snakefile reads this module for its Options; PyTorch takes seconds
    import torch
    from diffusers.models.transformers.dit_transformer_2d import DiTTransformer2DModel

EMPTY = "untrained"
WEIGHTS = "diffusion_pytorch_model.safetensors"
OURS = ("kind", "pruned", "sample_size")  # of an architecture: no arguments of DiTTransformer2DModel, or not as it says
MLP = 4  # hidden units of an MLP for each number of a token
STD = 0.02  # of the embeddings at random initialisation, by the authors' code


class Options(FromScratchSection):
    """A diffusion transformer (DiT) that is trained from scratch: diffusers' DiTTransformer2DModel."""

    described: ClassVar[tuple[str, ...]] = ("width", "patch", "heads", "layers")

    kind: Literal["dit"]
    width: int | None = Field(
        default=None,
        ge=4,
        multiple_of=4,
        description="Hidden size: numbers that stand for a patch. A model that is given (`training.from`) says it"
        " itself, as it does all else but the autoencoder; every other study needs it.",
    )
    patch: int = Field(default=2, ge=1, description="Height and width of the patches that become tokens.")
    heads: int = Field(default=4, ge=1, description="Attention heads of each block. They divide the width.")
    layers: int = Field(default=4, ge=1, description="Number of transformer blocks.")

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.width is not None and self.width % self.heads:
            raise ValueError(f"heads: found {self.heads}, expected a divisor of width = {self.width}")
        return self

    def check_pruning(self, ratio: float) -> None:
        if self.width is not None:  # else the given model is asked
            kept(self.heads, self.width, ratio)


def kept(heads: int, width: int, ratio: float) -> tuple[int, int]:
    """How many heads and hidden units of its MLP each block keeps: the share is rounded, half up, and one stays.

    Raises ValueError when rounding leaves less than half of the asked share of their weights removed.
    """
    units = MLP * width
    of_heads, of_units = (max(1, count - math.floor(ratio * count + 0.5)) for count in (heads, units))
    # queries, keys, values and outputs of a head; one row and one column of a unit
    removed = (4 * (1 - of_heads / heads) * width + 2 * (units - of_units)) / (4 * width + 2 * units)
    if removed < ratio / 2:
        raise ValueError(
            f"pruning.ratio: found {ratio}, but rounding to whole heads and units of the MLPs removes only"
            f" {removed:.0%} of their weights, expected about {ratio:.0%}; choose another ratio or a wider network"
        )
    return of_heads, of_units


def check_size(options: dict[str, Any], height: int, width: int) -> None:
    """Raises UserError when tensors of this size are no square, or not made of whole patches."""
    if options["width"] is None:
        return  # the given model is asked
    if height != width:
        raise UserError(
            f"config: model.kind: found dit for images of {height} x {width}, expected unet, or square images"
            " (data.size)"
        )
    if height % options["patch"]:
        raise UserError(
            f"config: model.patch: found {options['patch']} for images of {height} x {width}, expected a divisor of"
            f" {height}"
        )


def architecture(options: dict[str, Any], shape: tuple[int, int, int]) -> dict[str, Any]:
    """DiTTransformer2DModel's arguments for tensors of shape (channels, height, width), without a learned variance."""
    channels, height, width = shape
    return {
        "kind": "dit",
        "sample_size": [height, width],
        "in_channels": channels,
        "out_channels": channels,
        "patch_size": options["patch"],
        "num_attention_heads": options["heads"],
        "attention_head_dim": options["width"] // options["heads"],
        "num_layers": options["layers"],
        "num_embeds_ada_norm": 1,
    }


def conditional(architecture: dict[str, Any], contributors: int) -> dict[str, Any]:
    """The architecture of the same network that is also told the number of a contributor, from 1; 0 is nobody."""
    return {**architecture, "num_embeds_ada_norm": contributors + 1}


def build(architecture: dict[str, Any], seed: int, weights: dict[str, Path]) -> "DiTTransformer2DModel":
    """A randomly initialised network; the caller's random state is left as it was."""
    import torch
    from diffusers.models.transformers.dit_transformer_2d import DiTTransformer2DModel

    size, _ = architecture["sample_size"]
    arguments = {key: value for key, value in architecture.items() if key not in OURS}
    with torch.random.fork_rng(devices=[]):
        model = DiTTransformer2DModel(sample_size=size, **arguments)
    for block in model.transformer_blocks:
        # it would forget a tenth of the labels in training, at random; our own drawing is what lets a run resume
        block.norm1.emb.class_embedder.dropout_prob = 0.0
    reinitialise(model, seed)
    return model


def reinitialise(model: "DiTTransformer2DModel", seed: int) -> None:
    """Draw all weights anew, of whatever widths, as the authors' code does: arXiv 2212.09748, section 3.2 (adaLN-Zero).

    Every block is the identity at first, and the network's output is zero.
    """
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for module in model.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.xavier_uniform_(module.weight.flatten(1))
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.LayerNorm):
                module.reset_parameters()
        zeros = [model.proj_out_1, model.proj_out_2]
        for block in model.transformer_blocks:
            embedders, zeros = block.norm1.emb, [*zeros, block.norm1.linear]
            for layer in (
                embedders.timestep_embedder.linear_1,
                embedders.timestep_embedder.linear_2,
                embedders.class_embedder.embedding_table,
            ):
                nn.init.normal_(layer.weight, std=STD)
        for layer in zeros:
            layer.weight.zero_()


def denoiser(
    model: "DiTTransformer2DModel", architecture: dict[str, Any], conditions: dict[str, "torch.Tensor"], guidance: float
) -> Callable[..., "torch.Tensor"]:
    """The network itself, told class 0; one that is told contributors takes their numbers (batch,) as `labels`.

    The latter is guided.
    """
    import torch

    from diffusion_credit.models.guidance import guided

    def predict(x: torch.Tensor, t: torch.Tensor, labels: "torch.Tensor | None" = None) -> torch.Tensor:
        if labels is None:
            labels = torch.zeros(len(x), dtype=torch.long, device=x.device)
        return model(x, t.expand(len(x)), class_labels=labels).sample

    return guided(predict, guidance)


def levels(architecture: dict[str, Any], weights: dict[str, Path], steps: int) -> None:
    """None: the study says all."""


def learned(model: "DiTTransformer2DModel") -> dict[str, "torch.Tensor"]:
    """The weights that a checkpoint holds, by name: all of them."""
    return dict(model.state_dict())


def stock(model: "DiTTransformer2DModel", architecture: dict[str, Any]) -> dict[str, Any] | None:
    """The config by which `from_pretrained` of its class loads a checkpoint; none says the widths of a pruned one."""
    return None if architecture.get("pruned") else json.loads(model.to_json_string())


def load(model: "DiTTransformer2DModel", tensors: dict[str, "torch.Tensor"]) -> None:
    """Give the network these weights, and the heads and widths that they have."""
    from diffusion_credit.models.widths import fit_widths

    fit_widths(model, tensors)
    match_heads(model)
    model.load_state_dict(tensors)


def match_heads(model: "DiTTransformer2DModel") -> None:
    """diffusers' attention keeps its number of heads as an attribute."""
    for block in model.transformer_blocks:
        block.attn1.heads = block.attn1.to_q.out_features // model.config.attention_head_dim
