"""The gradients that baselines use."""

from typing import Literal

from pydantic import Field

from diffusion_credit.base.options import Section


class Gradients(Section):
    """Projected gradients of a network's output for single images, by its learned weights. Baselines compare them."""

    output: Literal["loss", "squared_l2", "mean", "l1", "l2", "linf"] = Field(
        description="What the gradients are of: the training loss (TRAK), or of the prediction the mean"
        " square (`squared_l2`, D-TRAK), the mean, or a norm."
    )
    models: Literal["full", "checkpoints", "retrained"] = Field(
        default="full",
        description="Which models the gradients are of: the full model, the full model with the"
        " `checkpoints` of its training (TracIn), or the retrained models of everyone (an"
        " ensemble).",
    )
    timesteps: int = Field(
        default=10, ge=1, description="Number of noise levels that gradients are summed over, with one noise at each."
    )
    spacing: Literal["even", "cumulative"] = Field(
        default="even",
        description="Which noise levels are taken: levels evenly spaced from 0 (`even`), or the first"
        " ones, with the least noise (`cumulative`).",
    )
    projection: int | None = Field(
        default=4096,
        ge=4,
        multiple_of=4,
        description="Number of numbers that a gradient is projected to. Without it gradients are not"
        " projected, which suits very small networks only.",
    )
    path: bool = Field(
        default=False,
        description="Whether gradients are also taken at the clean images that are predicted along the sampling path.",
    )
    memory: float = Field(
        default=2.0, gt=0, description="GiB that gradients may take. It bounds the number of images at once."
    )
    batch_size: int = Field(
        default=64,
        ge=1,
        description="Noised images in one pass of the network. It bounds the memory that the pass keeps"
        " for its backward pass.",
    )
