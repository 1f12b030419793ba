"""Rank pruning of adapters: every adapter keeps as many ranks, so a smaller rank describes the result."""

from typing import Any

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.networks.lora import add_adapters, kept_ranks, learned, load

DOWN, UP = ".lora_A.weight", ".lora_B.weight"


def prune(model: Any, architecture: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Remove the share `ratio` of every adapter's ranks, those of smallest norm of down row and up column together.

    The others stay in their old order, and outputs unscaled, so what is kept acts as before. Raises UserError when all
    ranks or none would stay.
    """
    try:
        kept = kept_ranks(architecture["rank"], options["ratio"])
    except ValueError as error:  # adapters that were given say their rank only now
        raise UserError(f"config: {error}") from None
    tensors = learned(model)
    for name in [name for name in tensors if name.endswith(DOWN)]:
        up = name.removesuffix(DOWN) + UP
        down_row, up_column = tensors[name].detach(), tensors[up].detach()
        rows = [part.double().flatten(1).square().sum(dim=1) for part in (down_row, up_column.transpose(0, 1))]
        best = (rows[0] + rows[1]).argsort(descending=True, stable=True)[:kept].sort().values
        tensors[name], tensors[up] = down_row[best].contiguous(), up_column[:, best].contiguous()
    model.delete_adapters("default")
    add_adapters(model, kept, architecture["layers"])
    load(model, tensors)
    return {**architecture, "rank": kept}
