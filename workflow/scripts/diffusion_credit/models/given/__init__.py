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
        self, options: dict[str, Any], given: Path, shape: tuple[int, int, int], weights: dict[str, Path]
    ) -> "tuple[dict[str, Any], dict[str, torch.Tensor]]":
        """Architecture and learned weights, as `Network` has them. Raises UserError when the model is no such one.

        options: of the section `model`. given: manifest of a folder as diffusers or peft wrote it, of which only the
        files that it lists are read. shape: of what the network denoises, (channels, height, width). weights: name ->
        manifest of what is pretrained in the network.
        """


if TYPE_CHECKING:  # mypy compares each with the protocol
    from diffusion_credit.models.given import dit, lora, unet

    _: list[Reader] = [unet, dit, lora]
