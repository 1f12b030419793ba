"""Low-rank adapters on the attention of a frozen text-to-image model, trained for one prompt or for captions.

Source: Hu et al., LoRA, arXiv 2106.09685; adapters by peft, the base as a pipeline of diffusers saves it, of one of the
`families`. A checkpoint holds the adapters alone, under the names by which a pipeline's `load_lora_weights` takes them.
"""

import re
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import NetworkSection
from diffusion_credit.base.plugins import module_of
from diffusion_credit.models.families import FAMILIES

if TYPE_CHECKING:  # the Snakefile reads this module for its Options; PyTorch takes seconds
    import numpy as np
    import torch

EMPTY = "base"
WEIGHTS = "pytorch_lora_weights.safetensors"
PACKAGES = {"peft": "lora", "transformers": "lora"}


class Options(NetworkSection):
    """Low-rank adapters (LoRA) on all attention layers of a text-to-image model."""

    prompted: ClassVar[bool] = True
    described: ClassVar[tuple[str, ...]] = ("rank",)

    kind: Literal["lora"]
    family: Literal[FAMILIES] = Field(  # type: ignore[valid-type]
        default="stable_diffusion", description="What the base model is. `stable_diffusion` is of version 1 or 2."
    )
    base: str = Field(description="Name of the weights of the base model, which is a folder in diffusers' format.")
    base_precision: Literal["float32", "bf16"] = Field(
        default="float32",
        description="Numbers that the frozen base and its text encoders are kept in. bf16 halves their memory, and all"
        " that the network computes is then in bf16.",
    )
    rank: int | None = Field(
        default=None,
        ge=1,
        description="Rank of every adapter. Outputs of adapters are added without scaling. Adapters that are given"
        " (`training.from`) say it themselves; every other study needs it.",
    )
    prompt: str | None = Field(
        default=None,
        min_length=1,
        description="The text that all images are trained with, and generated for unless `generation.prompts` says"
        " others. Images with captions (`data`) have none.",
    )

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
    """Raises UserError when the base's network cannot cut latents of this size into patches."""
    multiple = module_of("families", options["family"]).MULTIPLE
    if height % multiple or width % multiple:
        raise UserError(
            f"config: data.size: found latents of {height} x {width}, expected multiples of {multiple} for a base of"
            f" the family {options['family']}"
        )


def architecture(options: dict[str, Any], shape: tuple[int, int, int]) -> dict[str, Any]:
    """What the base's config does not say of the adapters. shape: of latents, (channels, height, width)."""
    channels, height, width = shape
    return {
        "kind": "lora",
        "sample_size": [height, width],
        "out_channels": channels,
        "family": options["family"],
        "base": options["base"],
        "base_precision": options["base_precision"],
        "rank": options["rank"],
        "layers": module_of("families", options["family"]).LAYERS,
    }


def conditional(architecture: dict[str, Any], contributors: int) -> dict[str, Any]:
    """The same: contributors are told as texts (see `prompts.write_told`)."""
    return architecture


def build(architecture: dict[str, Any], seed: int, weights: dict[str, Path]) -> Any:
    """The base with new adapters, which change nothing yet: random downwards, zero upwards."""
    import torch

    model = frozen_base(architecture, weights)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        add_adapters(model, architecture["rank"], architecture["layers"])
    return model


def add_adapters(model: Any, rank: int, layers: list[str]) -> None:
    """Give a network adapters in float32, which change nothing yet. layers: ends of names, or all names in full."""
    from peft import LoraConfig

    names = {name for name, _ in model.named_modules()}
    # peft takes a list for ends of names, and a text for a pattern of whole ones
    target = "|".join(map(re.escape, layers)) if names.issuperset(layers) else layers
    model.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=target, init_lora_weights="gaussian"))
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()  # peft makes them of the base's precision


def _base(architecture: dict[str, Any], weights: dict[str, Path]) -> Path:
    """The folder of the base. Raises UserError where `weights` lacks it."""
    from diffusion_credit.models.weights import open_weights

    if (name := architecture["base"]) not in weights:
        raise UserError(
            f"weights: found no {name!r}, expected the base that the adapters were trained on, as in"
            f" load_model(folder, weights={{{name!r}: 'results/<study>/weights/{name}/manifest.json'}})"
        )
    return open_weights(weights[name])


def frozen_base(architecture: dict[str, Any], weights: dict[str, Path]) -> Any:
    """The base without adapters. Raises UserError when it is of another family or takes latents of other channels."""
    from diffusion_credit.models.pretrained import load_pretrained

    family, channels = module_of("families", architecture["family"]), architecture["out_channels"]
    part, of = family.DENOISER
    folder = _base(architecture, weights) / part
    module, _, name = of.rpartition(".")
    kind = getattr(import_module(f"diffusers.{module}"), name)
    model = load_pretrained(kind, folder, "cpu", architecture["base_precision"])
    if (found := getattr(model.config, "addition_embed_type", None)) != family.ADDITION:
        raise UserError(
            f"{folder}: found a network with addition_embed_type {found}, expected {family.ADDITION} for a base of the"
            f" family {architecture['family']} (config: model.family)"
        )
    if (found := family.channels(model.config)) != channels:
        raise UserError(
            f"{folder}: found a network for latents of {found} channels, expected {channels}, as many as they have"
        )
    return model


def reinitialise(model: Any, seed: int) -> None:
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
    model: Any, architecture: dict[str, Any], conditions: dict[str, "torch.Tensor"], guidance: float
) -> Callable[..., "torch.Tensor"]:
    """Predictions for texts, guided away from the empty text.

    Raises UserError when the base can be guided in no way.
    """
    import torch

    from diffusion_credit.models.guidance import guided

    family, half = module_of("families", architecture["family"]), architecture["base_precision"] == "bf16"
    if family.DISTILLED and guidance != 1 and not model.config.guidance_embeds:
        raise UserError(
            f"config: generation.guidance (or regimes.conditional.guidance): found {guidance}, expected 1, because the"
            f" base {architecture['base']} is told no guidance"
        )

    def predict(x: "torch.Tensor", t: "torch.Tensor", labels: "torch.Tensor") -> "torch.Tensor":
        told = {name: rows[labels.to(rows.device)].to(x.device) for name, rows in conditions.items()}
        with torch.autocast(x.device.type, torch.bfloat16) if half else nullcontext():
            return family.predict(model, x, t.expand(len(x)), told, guidance)

    return predict if family.DISTILLED else guided(predict, guidance)


def levels(architecture: dict[str, Any], weights: dict[str, Path], steps: int) -> "np.ndarray | None":
    """Those at which the family's pipeline samples."""
    from diffusion_credit.base.files import read_json
    from diffusion_credit.models.latents import SCHEDULER

    scheduler = read_json(_base(architecture, weights) / SCHEDULER)
    shape = (architecture["out_channels"], *architecture["sample_size"])
    found: np.ndarray | None = module_of("families", architecture["family"]).levels(scheduler, steps, shape)
    return found


def prefix(model: Any) -> str:
    """What stands before every name in a file, because a pipeline has several parts."""
    return "unet." if type(model).__name__.startswith("UNet") else "transformer."


def learned(model: Any) -> dict[str, "torch.Tensor"]:
    """The adapters' weights, under peft's names with the part of the pipeline before them."""
    from peft import get_peft_model_state_dict

    return {prefix(model) + name: tensor for name, tensor in get_peft_model_state_dict(model).items()}


def stock(model: Any, architecture: dict[str, Any]) -> dict[str, Any] | None:
    """Nothing: the file of weights says all, as a scale of 1 is what `load_lora_weights` takes where none is said."""
    return None


def load(model: Any, tensors: dict[str, "torch.Tensor"]) -> None:
    """Give the adapters these weights. Raises UserError when they are not those of this base and rank."""
    from peft import set_peft_model_state_dict

    expected = {name: tuple(tensor.shape) for name, tensor in learned(model).items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise UserError(
                f"adapter {name}: found shape {found.get(name)}, expected {expected.get(name)}, as the base model has"
            )
    of = prefix(model)
    set_peft_model_state_dict(model, {name.removeprefix(of): tensor for name, tensor in tensors.items()})
