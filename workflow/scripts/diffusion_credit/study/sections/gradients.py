"""The gradients that baselines use."""

from typing import Literal

from pydantic import Field

from diffusion_credit.base.options import Section


class Gradients(Section):
    """Per-image gradients of a network's output by its learned weights, projected, for the baselines that use them."""

    output: Literal["loss", "squared_l2", "mean", "l1", "l2", "linf"] = Field(
        description="Of what: the training loss (TRAK), or the mean square (D-TRAK), mean or norm of the prediction."
    )
    models: Literal["full", "checkpoints", "retrained"] = Field(
        default="full",
        description="Of which: the full model, that and the `checkpoints` of its training (TracIn), or the retrained"
        " models of everyone (an ensemble).",
    )
    timesteps: int = Field(default=10, ge=1, description="Noise levels that gradients are summed over, one noise each.")
    spacing: Literal["even", "cumulative"] = Field(
        default="even", description="Evenly spaced from 0, or the first ones, of the lowest noise."
    )
    projection: int | None = Field(
        default=4096,
        ge=4,
        multiple_of=4,
        description="Numbers that a gradient is projected to; none: no projection, for very small networks.",
    )
    path: bool = Field(
        default=False, description="Also at the clean images that are predicted along the sampling path."
    )
    memory: float = Field(default=2.0, gt=0, description="GiB that gradients may take; bounds the images at once.")
    batch_size: int = Field(
        default=64, ge=1, description="Noised images in one pass of the network; bounds what it keeps to go back."
    )
