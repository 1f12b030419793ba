"""How a network is trained."""

from typing import Literal, Self

from pydantic import Field, model_validator

from diffusion_credit.base.options import Section


class Training(Section):
    """One training with AdamW, warm-up, gradient clipping and weight averaging."""

    steps: int = Field(ge=1, description="Optimiser steps.")
    batch_size: int = Field(ge=1, description="Images in each step.")
    learning_rate: float = Field(gt=0, description="Highest learning rate.")
    warmup: float = Field(default=0.1, ge=0, lt=1, description="Share of the steps in which the rate rises linearly.")
    decay: Literal["cosine", "constant"] = Field(
        default="cosine",
        description="The learning rate after the warm-up: it falls to zero (`cosine`) or stays as it is (`constant`).",
    )
    optimizer: Literal["adamw", "adamw_8bit"] = Field(
        default="adamw",
        description="AdamW, or AdamW with its moments in 8 bits, which saves memory and needs bitsandbytes.",
    )
    weight_decay: float = Field(default=0.0, ge=0, description="AdamW's decoupled weight decay.")
    gradient_clip: float = Field(default=1.0, gt=0, description="Gradients are scaled down to this L2 norm.")
    ema_decay: float = Field(
        default=0.999,
        ge=0,
        lt=1,
        description="Decay of the average of the weights at each step. Every training starts a new average.",
    )
    flip: bool = Field(default=False, description="Mirror half of the images left to right.")
    precision: Literal["float32", "bf16"] = Field(default="float32", description="Arithmetic of the forward pass.")
    checkpoints: int = Field(
        default=0,
        ge=0,
        description="Number of averaged weights to keep along the way, evenly spaced. Gradients of"
        " `models: checkpoints` use them.",
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.checkpoints >= self.steps:
            raise ValueError(f"checkpoints: found {self.checkpoints}, expected fewer than steps = {self.steps}")
        return self
