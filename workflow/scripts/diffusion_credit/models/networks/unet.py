"""diffusers' UNet2DModel on pixels, or on the latents of a frozen autoencoder.

A pruned network cannot be described by its architecture alone; its widths are read off the shapes of the
weights, so no pickled module and no pruning history is needed.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import FromScratchSection

if TYPE_CHECKING:  # the Snakefile reads this module for its Options; PyTorch takes seconds
    import torch
    from diffusers.models.unets.unet_2d import UNet2DModel

EMPTY = "untrained"
WEIGHTS = "diffusion_pytorch_model.safetensors"
OURS = ("kind", "pruned")  # of an architecture: no arguments of UNet2DModel


class Options(FromScratchSection):
    """A U-Net that is trained from scratch: diffusers' UNet2DModel."""

    described: ClassVar[tuple[str, ...]] = (
        "channels", "layers_per_block", "norm_groups", "attention", "head_width", "dropout", "time_scale_shift",
    )  # fmt: skip

    kind: Literal["unet"]
    channels: list[int] | None = Field(
        default=None,
        min_length=1,
        description="Width of each level, from the finest to the coarsest. A model that is given (`training.from`) says"
        " it itself, as it does all else but the autoencoder; every other study needs it.",
    )
    layers_per_block: int = Field(default=2, ge=1, description="Number of residual blocks at each level.")
    norm_groups: int = Field(
        default=32, ge=1, description="Number of groups of every group normalisation. It divides every width."
    )
    attention: list[int] = Field(default=[], description="Levels with self-attention, counted from 0 at the finest.")
    head_width: int | None = Field(
        default=None, ge=1, description="Channels of an attention head. Without it there is one head."
    )

    dropout: float = Field(default=0.0, ge=0, lt=1, description="Share of each block's inputs that training drops.")
    time_scale_shift: bool = Field(
        default=False,
        description="Let the time scale and shift what it is told to (`scale_shift` of diffusers), instead of only"
        " adding to it.",
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.channels is None:
            return self
        if any(width < 1 or width % self.norm_groups for width in self.channels):
            raise ValueError(f"channels: found {self.channels}, expected multiples of norm_groups = {self.norm_groups}")
        if any(not 0 <= level < len(self.channels) for level in self.attention):
            raise ValueError(f"attention: found {self.attention}, expected levels 0 to {len(self.channels) - 1}")
        if self.head_width and any(self.channels[level] % self.head_width for level in {*self.attention, -1}):
            raise ValueError(f"head_width: found {self.head_width}, expected a divisor of the widths with attention")
        return self


def check_size(options: dict[str, Any], height: int, width: int) -> None:
    """Raises UserError when tensors of this size cannot be halved once between any two levels."""
    if options["channels"] is None:
        return  # the given model is asked
    levels = len(options["channels"])
    step = 2 ** (levels - 1)
    if height % step or width % step:
        raise UserError(
            f"config: model.channels: found {levels} levels for images of {height} x {width}, expected fewer levels,"
            f" or a size (data.size) that is a multiple of {step}"
        )


def architecture(options: dict[str, Any], shape: tuple[int, int, int]) -> dict[str, Any]:
    """UNet2DModel's arguments for tensors of shape (channels, height, width)."""
    channels, height, width = shape
    attention = options["attention"]
    levels = range(len(options["channels"]))
    return {
        "kind": "unet",
        "sample_size": [height, width],
        "in_channels": channels,
        "out_channels": channels,
        "block_out_channels": list(options["channels"]),
        "layers_per_block": options["layers_per_block"],
        "norm_num_groups": options["norm_groups"],
        "down_block_types": ["AttnDownBlock2D" if i in attention else "DownBlock2D" for i in levels],
        "up_block_types": ["AttnUpBlock2D" if i in attention else "UpBlock2D" for i in reversed(levels)],
        "add_attention": bool(attention),
        "attention_head_dim": options["head_width"],
        "dropout": options["dropout"],
        "resnet_time_scale_shift": "scale_shift" if options["time_scale_shift"] else "default",
    }


def conditional(architecture: dict[str, Any], contributors: int) -> dict[str, Any]:
    """The architecture of the same network that is also told the number of a contributor, from 1; 0 is nobody."""
    return {**architecture, "num_class_embeds": contributors + 1}


def build(architecture: dict[str, Any], seed: int, weights: dict[str, Path]) -> "UNet2DModel":
    """A randomly initialised network; the caller's random state is left as it was."""
    import torch
    from diffusers.models.unets.unet_2d import UNet2DModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return UNet2DModel(**{key: value for key, value in architecture.items() if key not in OURS})


def reinitialise(model: "UNet2DModel", seed: int) -> None:
    """Draw all weights anew: the untrained network of the same widths."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear | nn.GroupNorm | nn.Embedding):
                module.reset_parameters()


def denoiser(
    model: "UNet2DModel", architecture: dict[str, Any], conditions: dict[str, "torch.Tensor"], guidance: float
) -> Callable[..., "torch.Tensor"]:
    """The network itself; one that is told contributors takes their numbers (batch,) as `labels`, and is guided."""
    from diffusion_credit.models.guidance import guided

    def predict(x: "torch.Tensor", t: "torch.Tensor", labels: "torch.Tensor | None" = None) -> "torch.Tensor":
        return model(x, t, class_labels=labels).sample

    return guided(predict, guidance)


def levels(architecture: dict[str, Any], weights: dict[str, Path], steps: int) -> None:
    """None: the study says all."""


def learned(model: "UNet2DModel") -> dict[str, "torch.Tensor"]:
    """The weights that a checkpoint holds, by name: all of them."""
    return dict(model.state_dict())


def stock(model: "UNet2DModel", architecture: dict[str, Any]) -> dict[str, Any] | None:
    """The config by which `UNet2DModel.from_pretrained` loads a checkpoint; none says the widths of a pruned one."""
    return None if architecture.get("pruned") else json.loads(model.to_json_string())


def load(model: "UNet2DModel", tensors: dict[str, "torch.Tensor"]) -> None:
    """Give the network these weights, and the widths that they have."""
    from diffusion_credit.models.widths import fit_widths

    fit_widths(model, tensors)
    match_resampling(model)
    model.load_state_dict(tensors)


def match_resampling(model: "UNet2DModel") -> None:
    """diffusers' resampling layers keep the widths of their convolution as attributes and assert them."""
    from diffusers.models.downsampling import Downsample2D
    from diffusers.models.resnet import ResnetBlock2D
    from diffusers.models.upsampling import Upsample2D
    from torch import nn

    for module in model.modules():
        if isinstance(module, ResnetBlock2D):
            for part in (module.upsample, module.downsample):
                if isinstance(part, Downsample2D | Upsample2D):  # without a convolution
                    part.channels = part.out_channels = module.norm1.num_channels
        if isinstance(module, Downsample2D | Upsample2D) and isinstance(module.conv, nn.Conv2d):
            module.channels, module.out_channels = module.conv.in_channels, module.conv.out_channels
