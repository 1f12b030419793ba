"""Rank pruning of adapters: every adapter keeps as many ranks, so a smaller rank describes the result."""

from typing import Any

from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from peft import LoraConfig

from diffusion_credit.models.networks.lora import LAYERS, kept_ranks, learned, load

DOWN, UP = ".lora_A.weight", ".lora_B.weight"


def prune(model: UNet2DConditionModel, architecture: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Remove the share `ratio` of every adapter's ranks, those of smallest norm of down row and up column together.

    The others stay in their old order, and outputs unscaled, so what is kept acts as before.
    """
    kept = kept_ranks(architecture["rank"], options["ratio"])
    tensors = learned(model)
    for name in [name for name in tensors if name.endswith(DOWN)]:
        up = name.removesuffix(DOWN) + UP
        down_row, up_column = tensors[name].detach(), tensors[up].detach()
        norms = down_row.double().square().sum(dim=1) + up_column.double().square().sum(dim=0)
        rows = norms.argsort(descending=True, stable=True)[:kept].sort().values
        tensors[name], tensors[up] = down_row[rows].contiguous(), up_column[:, rows].contiguous()
    model.delete_adapters("default")
    model.add_adapter(LoraConfig(r=kept, lora_alpha=kept, target_modules=LAYERS))
    load(model, tensors)
    return {**architecture, "rank": kept}
