"""Low-rank adapters on the attention of a frozen text-to-image U-Net, trained for one prompt.

Source: Hu et al., LoRA, arXiv 2106.09685; adapters by peft, the base in diffusers' format (Stable Diffusion's folders
`unet`, `vae`, `text_encoder`, `tokenizer` and `scheduler`). A checkpoint holds the adapters alone, under the names by
which `load_lora_weights` of a pipeline takes them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import NetworkSection

if TYPE_CHECKING:  # the Snakefile reads this module for its Options; PyTorch takes seconds
    import torch
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

EMPTY = "base"
WEIGHTS = "pytorch_lora_weights.safetensors"
PREFIX = "unet."  # of every name in a file: a pipeline has other parts
PACKAGES = {"peft": "lora", "transformers": "lora"}
LAYERS = ["to_q", "to_k", "to_v", "to_out.0"]  # of self- and cross-attention alike


class Options(NetworkSection):
    """Low-rank adapters (LoRA) on all attention layers of a text-to-image model."""

    prompted: ClassVar[bool] = True
    described: ClassVar[tuple[str, ...]] = ("rank",)

    kind: Literal["lora"]
    base: str = Field(description="Name of the weights of the base model, which is a folder in diffusers' format.")
    rank: int | None = Field(
        default=None,
        ge=1,
        description="Rank of every adapter. Outputs of adapters are added without scaling. Adapters that are given"
        " (`training.from`) say it themselves; every other study needs it.",
    )
    prompt: str = Field(min_length=1, description="The text that all images are trained with and generated for.")

    def check_pruning(self, ratio: float) -> None:
        if self.rank is not None:  # else the given adapters are asked
            kept_ranks(self.rank, ratio)

    def needs_weights(self) -> list[str]:
        return [self.base]


def kept_ranks(rank: int, ratio: float) -> int:
    """How many of an adapter's ranks pruning keeps. Raises ValueError when these are all or none."""
    kept = rank - round(ratio * rank)
    if not 0 < kept < rank:
        raise ValueError(
            f"pruning.ratio: found {ratio}, which keeps {kept} of {rank} ranks, expected a ratio that removes some and"
            " not all"
        )
    return kept


def check_size(options: dict[str, Any], height: int, width: int) -> None:
    """Does nothing: the base model's own network takes any size that its autoencoder takes."""


def architecture(options: dict[str, Any], shape: tuple[int, int, int]) -> dict[str, Any]:
    """What the base's config does not say of the adapters. shape: of latents, (channels, height, width)."""
    channels, height, width = shape
    return {
        "kind": "lora",
        "sample_size": [height, width],
        "out_channels": channels,
        "base": options["base"],
        "rank": options["rank"],
        "layers": LAYERS,
    }


def build(architecture: dict[str, Any], seed: int, weights: dict[str, Path]) -> "UNet2DConditionModel":
    """The base with new adapters, which change nothing yet: random downwards, zero upwards."""
    import torch
    from peft import LoraConfig

    model = frozen_base(weights[architecture["base"]], architecture["out_channels"])
    rank, layers = architecture["rank"], architecture["layers"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=layers, init_lora_weights="gaussian"))
    return model


def frozen_base(manifest: Path, channels: int) -> "UNet2DConditionModel":
    """The base without adapters. Raises UserError when it takes latents of other channels."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    from diffusion_credit.models.pretrained import load_pretrained
    from diffusion_credit.models.weights import open_weights

    folder = open_weights(manifest) / "unet"
    model = load_pretrained(UNet2DConditionModel, folder, "cpu")
    if model.config.in_channels != channels:
        raise UserError(
            f"{folder}: found a network of {model.config.in_channels} input channels, expected {channels}, as"
            " many as the latents have"
        )
    return model


def reinitialise(model: "UNet2DConditionModel", seed: int) -> None:
    """New adapters, which change nothing yet."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and ".lora_A." in name:
                torch.nn.init.normal_(parameter, std=1 / parameter.shape[0])
            elif parameter.requires_grad:
                torch.nn.init.zeros_(parameter)


def denoiser(
    model: "UNet2DConditionModel", conditions: dict[str, "torch.Tensor"], guidance: float
) -> Callable[..., "torch.Tensor"]:
    """Predictions for the prompt, guided away from the empty prompt (arXiv 2207.12598, equation 6)."""
    import torch

    prompt, empty = conditions["prompt"], conditions["empty"]

    def predict(x: "torch.Tensor", t: "torch.Tensor") -> "torch.Tensor":
        return model(x, t, encoder_hidden_states=prompt.expand(len(x), -1, -1)).sample

    def guided(x: "torch.Tensor", t: "torch.Tensor") -> "torch.Tensor":
        both = torch.cat([part.expand(len(x), -1, -1) for part in (empty, prompt)])
        without, with_prompt = model(x.repeat(2, 1, 1, 1), t, encoder_hidden_states=both).sample.chunk(2)
        return without + guidance * (with_prompt - without)

    return guided if guidance != 1 else predict


def learned(model: "UNet2DConditionModel") -> dict[str, "torch.Tensor"]:
    """The adapters' weights, under peft's names with the part of the pipeline before them."""
    from peft import get_peft_model_state_dict

    return {PREFIX + name: tensor for name, tensor in get_peft_model_state_dict(model).items()}


def stock(model: "UNet2DConditionModel", architecture: dict[str, Any]) -> dict[str, Any] | None:
    """Nothing: the file of weights says all, as a scale of 1 is what `load_lora_weights` takes where none is said."""
    return None


def load(model: "UNet2DConditionModel", tensors: dict[str, "torch.Tensor"]) -> None:
    """Give the adapters these weights. Raises UserError when they are not those of this base and rank."""
    from peft import set_peft_model_state_dict

    expected = {name: tuple(tensor.shape) for name, tensor in learned(model).items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise UserError(
                f"adapter {name}: found shape {found.get(name)}, expected {expected.get(name)}, as the base model has"
            )
    set_peft_model_state_dict(model, {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()})
