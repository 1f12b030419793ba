"""Networks of other widths than their configuration says, as pruning leaves them."""

import torch
from torch import nn


def fit_widths(model: nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    """Resize every layer of `model` to the shapes of a pruned network's weights; values are undefined after.

    What diffusers notes of widths outside the layers of PyTorch is left to the network.
    """
    for name, module in model.named_modules():
        found = tensors.get(f"{name}.weight")
        if found is None or module.weight.shape == found.shape:
            continue
        if isinstance(module, nn.Conv2d):
            module.out_channels, module.in_channels = found.shape[:2]
        elif isinstance(module, nn.Linear):
            module.out_features, module.in_features = found.shape
        elif isinstance(module, nn.GroupNorm):
            module.num_channels = found.shape[0]
        else:
            raise ValueError(f"{name}: a {type(module).__name__} cannot be resized")
        for parameter in ("weight", "bias"):
            if getattr(module, parameter) is not None:
                setattr(module, parameter, nn.Parameter(torch.empty(tensors[f"{name}.{parameter}"].shape)))
