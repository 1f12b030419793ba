"""Denoising networks.

To add one: a module here that is a `Network`, its pruning in `pruning/`, its reader in `given/`, and its name in both
lists below.

Where packages beyond the default installation decide the result, it has `PACKAGES`: package -> extra that brings it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # the Snakefile reads this package; PyTorch takes seconds
    import numpy as np
    import torch

    from diffusion_credit.base.options import NetworkSection
NETWORKS = ("unet", "dit", "lora")


class Network(Protocol):
    """What a module of this package holds.

    architecture: what a checkpoint's checkpoint.json says of the network. weights: name of an entry of the study's
    `weights` -> its manifest. conditions: what the network is told of texts, as `texts.read_texts` has it.
    """

    @property
    def Options(self) -> "type[NetworkSection]":
        """The section `model` of the configuration."""

    @property
    def WEIGHTS(self) -> str:
        """The file of a checkpoint's weights, by the name that diffusers gives it."""

    @property
    def EMPTY(self) -> str:
        """What F(empty) is for it: `untrained` or `base`."""

    def check_size(self, options: dict[str, Any], height: int, width: int) -> None:
        """Raises UserError when it takes no tensors of this height and width."""

    def architecture(self, options: dict[str, Any], shape: tuple[int, int, int]) -> dict[str, Any]:
        """The architecture of a network that denoises tensors of `shape`, (channels, height, width)."""

    def conditional(self, architecture: dict[str, Any], contributors: int) -> dict[str, Any]:
        """The architecture of the same network that is also told whose image it denoises.

        It is told the contributor's number, from 1 on, as `labels`; or, where it takes texts, a text with the name.
        """

    def build(self, architecture: dict[str, Any], seed: int, weights: dict[str, Path]) -> Any:
        """A randomly initialised network whose learned weights require gradients."""

    def reinitialise(self, model: Any, seed: int) -> None:
        """Draw the learned weights anew, in place."""

    def denoiser(
        self, model: Any, architecture: dict[str, Any], conditions: dict[str, "torch.Tensor"], guidance: float
    ) -> Callable[..., "torch.Tensor"]:
        """The prediction from noised tensors, times, and where there are any the rows (batch,) of texts in conditions.

        Row 0 is the empty text, or nobody, and what guidance leans away from. Training takes guidance 1.
        """

    def levels(self, architecture: dict[str, Any], weights: dict[str, Path], steps: int) -> "np.ndarray | None":
        """The noise levels (steps,) to sample at by flow matching, where a base model has its own."""

    def learned(self, model: Any) -> dict[str, "torch.Tensor"]:
        """The weights that a checkpoint holds, by name."""

    def stock(self, model: Any, architecture: dict[str, Any]) -> dict[str, Any] | None:
        """The config.json by which a class of diffusers loads a checkpoint's folder; None where there is none."""

    def load(self, model: Any, tensors: dict[str, "torch.Tensor"]) -> None:
        """Give the network these weights. Raises UserError when they are not of its shapes."""


if TYPE_CHECKING:  # mypy compares each with the protocol
    from diffusion_credit.models.networks import dit, lora, unet

    _: list[Network] = [unet, dit, lora]
