"""Adapters that were trained elsewhere, as `save_lora_weights` of diffusers or `save_pretrained` of peft wrote them."""

from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from peft.tuners.lora import LoraLayer

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import read_json
from diffusion_credit.base.plugins import module_of
from diffusion_credit.models.checkpoints import read_tensors
from diffusion_credit.models.networks.lora import WEIGHTS, architecture, frozen_base, learned, prefix
from diffusion_credit.models.pretrained import first_line
from diffusion_credit.models.weights import listed_in, open_weights

OTHERS = {  # part of a name -> what such weights are of
    "text_encoder": "a text encoder", "lora_te": "a text encoder", "dora_scale": "DoRA", "magnitude_vector": "DoRA",
    "lora_B.bias": "biases", "hada_": "LoHa", "lokr_": "LoKr",
}  # fmt: skip
SAID = ("r", "lora_alpha", "target_modules", "rank_pattern", "alpha_pattern", "use_rslora")  # by peft, of what it wrote


def read(
    options: dict[str, Any], given: Path, shape: tuple[int, int, int], weights: dict[str, Path]
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Rank, layers and weights of adapters of the base, as `save_lora_weights` or peft's `save_pretrained` wrote them.

    The scale alpha / rank of their outputs goes into the upward weights, so that ours need none.
    """
    file = _adapter_file(open_weights(given), listed_in(given))
    said = architecture(options, shape)
    # a base in bf16 would round the adapters
    model = frozen_base({**said, "base_precision": "float32"}, weights)
    try:
        tensors, scales = _adapters(file, prefix(model), module_of("families", options["family"]).LOADER)
    except (
        ValueError,
        KeyError,
        IndexError,
        AssertionError,
    ) as error:  # of diffusers, on formats that it does not convert
        raise UserError(f"{file}: found no adapters (LoRA) that diffusers can read ({first_line(error)})") from None
    try:
        model.load_lora_adapter(dict(tensors), prefix=prefix(model)[:-1], adapter_name="default", **scales)
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{file}: found no adapters of the base in weights.{options['base']} ({first_line(error)})"
        ) from None
    layers, ranks = [], set()
    for name, module in model.named_modules():
        if isinstance(module, LoraLayer):
            (adapter,) = module.scaling
            module.lora_B[adapter].weight.data *= module.scaling[adapter]
            layers.append(name)
            ranks.add(module.r[adapter])
    found = learned(model) if layers else {}
    expected = {name for name in tensors if not name.endswith(".alpha")}
    if len(found) != len(expected):
        raise UserError(
            f"{file}: found {len(expected)} weights of adapters, of which the base in weights.{options['base']}"
            f" takes {len(found)}; expected adapters of this base"
        )
    if len(ranks) != 1:
        raise UserError(f"{file}: found adapters of the ranks {sorted(ranks)}, expected one rank")
    said |= {"rank": ranks.pop(), "layers": sorted(layers)}
    return said, {name: tensor.float() for name, tensor in found.items()}


def _adapter_file(folder: Path, listed: list[str]) -> Path:
    """The file of the adapters: of the name that diffusers or peft gives it, or the only one of its kind."""
    files = [folder / name for name in listed if name.endswith(".safetensors") and "/" not in name]
    named = [file for file in files if file.name in (WEIGHTS, "adapter_model.safetensors")]
    if len(named or files) != 1:
        raise UserError(
            f"{folder}: found {[file.name for file in files]}, expected the one file {WEIGHTS} among the weights' files"
        )
    return (named or files)[0]


def _adapters(file: Path, part: str, loader: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Weights by name, as a pipeline's, and what says their scales, for `load_lora_adapter`.

    part: what stands before the names of the network's. loader: a class of `diffusers.loaders`. Raises UserError on
    what is not adapters of the network alone.
    """
    raw = read_tensors(file)
    for known, what in OTHERS.items():
        if name := next((name for name in raw if known in name), None):
            raise UserError(
                f"{file}: found {name}, weights of {what}, expected adapters (LoRA) of the {part[:-1]} alone"
            )
    beside = file.with_name("adapter_config.json")
    if beside.is_file():  # as peft writes it
        config = read_json(beside)
        kind, begun = config.get("peft_type"), config.get("init_lora_weights", True)
        if kind != "LORA" or config.get("use_dora") or begun not in (True, False, "gaussian"):
            raise UserError(
                f"{beside}: found {kind} with init_lora_weights {begun!r}, expected LORA without DoRA, of an"
                " initialisation that leaves the base as it is"
            )
        return {part + name.removeprefix("base_model.model."): tensor for name, tensor in raw.items()}, {
            "metadata": {part + key: value for key, value in config.items() if key in SAID}
        }
    tensors, *alphas, metadata = getattr(import_module("diffusers.loaders"), loader).lora_state_dict(
        str(file.parent),
        weight_name=file.name,
        use_safetensors=True,
        local_files_only=True,
        return_alphas=True,
        return_lora_metadata=True,
    )
    if not any(name.startswith(part) for name in tensors):
        raise UserError(f"{file}: found {next(iter(tensors), 'nothing')}, expected names that begin with {part}")
    return tensors, {"metadata": metadata} if metadata else {"network_alphas": next(iter(alphas), None)}
