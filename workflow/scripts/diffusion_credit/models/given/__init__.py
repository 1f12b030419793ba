"""Models that were trained elsewhere: a module that is a `Reader` for each kind of network, named after it.

They stand apart from the networks, so that an edit here retrains no model.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch


class Reader(Protocol):
    """What a module of this package holds."""

    def read(
        self, options: dict[str, Any], folder: Path, shape: tuple[int, int, int], weights: dict[str, Path]
    ) -> "tuple[dict[str, Any], dict[str, torch.Tensor]]":
        """Architecture and learned weights, as `Network` has them. Raises UserError when the model is no such one.

        options: of the section `model`. folder: as diffusers or peft wrote it. shape: of what the network denoises,
        (channels, height, width). weights: name -> manifest of what is pretrained in the network.
        """


if TYPE_CHECKING:  # mypy compares each with the protocol
    from diffusion_credit.models.given import lora, unet

    _: list[Reader] = [unet, lora]
