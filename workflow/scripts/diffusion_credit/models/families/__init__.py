"""Families of pretrained text-to-image models that adapters are trained on.

To add one: a module here that is a `Family`, and its name in both lists below. Its docstring names the layers' source.
Prompts are encoded by the family's own pipeline of diffusers; we sample with our loop, which every network shares.
"""

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # the Snakefile reads this package; PyTorch takes seconds
    import numpy as np
    import torch

FAMILIES = ("stable_diffusion", "sdxl", "sd3", "flux")

Told = dict[str, "torch.Tensor"]  # name -> what the network is told of a text, one row a text


class Family(Protocol):
    """What a module of this package holds. The base is a folder as `save_pretrained` of its pipeline writes it."""

    @property
    def PIPELINE(self) -> str:
        """The class that encodes prompts and takes the adapters, with its module below diffusers."""

    @property
    def DENOISER(self) -> tuple[str, str]:
        """The part of the pipeline that denoises, and its class with its module below diffusers."""

    @property
    def LOADER(self) -> str:
        """The class of `diffusers.loaders` that reads files of adapters."""

    @property
    def ENCODERS(self) -> dict[str, tuple[str, str, str]]:
        """Part of the pipeline -> class of this text encoder, the part that is its tokenizer, the tokenizer's class.

        The classes are those of transformers.
        """

    @property
    def WITHOUT(self) -> dict[str, Any]:
        """Further arguments that make the pipeline, of parts that no prompt needs."""

    @property
    def READS(self) -> tuple[str, int | None]:
        """The tokenizer that reads most of a text, and how many tokens; None: as many as its own config says."""

    @property
    def LAYERS(self) -> list[str]:
        """Ends of the names of the layers that get adapters."""

    @property
    def ADDITION(self) -> str | None:
        """What its denoiser's config says as `addition_embed_type`."""

    @property
    def MULTIPLE(self) -> int:
        """What divides the height and the width of its latents."""

    def channels(self, config: Any) -> int:
        """Channels of the latents that a denoiser with this config takes."""

    @property
    def DISTILLED(self) -> bool:
        """Is the strength of guidance told to the network, instead of a second prediction for the empty text?"""

    def embed(self, pipeline: Any, text: str, size: tuple[int, int], device: str) -> Told:
        """What the network is told of a text, one row each. size: (height, width) of the images, in pixels."""

    def predict(self, model: Any, x: "torch.Tensor", t: "torch.Tensor", told: Told, guidance: float) -> "torch.Tensor":
        """The prediction for noised latents (batch, channels, height, width) at times (batch,)."""

    def levels(self, scheduler: dict[str, Any], steps: int, shape: tuple[int, int, int]) -> "np.ndarray | None":
        """The noise levels (steps,) at which its own pipeline samples latents of a shape; None without flow matching.

        scheduler: the config of the base's own.
        """


if TYPE_CHECKING:  # mypy compares each with the protocol
    from diffusion_credit.models.families import flux, sd3, sdxl, stable_diffusion

    _: list[Family] = [stable_diffusion, sdxl, sd3, flux]
