"""How a network is trained, or which one is taken."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from diffusion_credit.base.options import Section

AUTOENCODER = "autoencoder"  # of the images of a study: the one entry of its collection
AUTOENCODER_FILES = ("config.json", "diffusion_pytorch_model.safetensors")
FLOW = "flow"  # the schedule of flow matching: straight lines between images and noise


class Optimisation(Section):
    """Steps of AdamW with warm-up, gradient clipping and weight averaging."""

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
    beta1: float = Field(default=0.9, ge=0, lt=1, description="Decay of AdamW's average of the gradients.")
    gradient_clip: float = Field(default=1.0, gt=0, description="Gradients are scaled down to this L2 norm.")
    ema_decay: float = Field(
        default=0.999,
        ge=0,
        lt=1,
        description="Decay of the average of the weights at each step. Every training starts a new average.",
    )
    flip: bool = Field(default=False, description="Mirror half of the images left to right.")
    precision: Literal["float32", "bf16"] = Field(default="float32", description="Arithmetic of the forward pass.")
    accumulation: int = Field(
        default=1,
        ge=1,
        description="Number of parts that each batch is computed in, one after the other. It bounds the memory, and"
        " changes results by rounding alone.",
    )
    gradient_checkpointing: bool = Field(
        default=False, description="Compute parts of the network twice instead of keeping them. It saves memory."
    )

    @model_validator(mode="after")
    def check_batch(self) -> Self:
        if self.batch_size % self.accumulation:
            raise ValueError(
                f"accumulation: found {self.accumulation}, expected a divisor of batch_size = {self.batch_size}"
            )
        return self


class Training(Optimisation):
    """One training with AdamW, warm-up, gradient clipping and weight averaging."""

    caption_dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Share of the images that are told the empty text instead of their own, which classifier-free"
        " guidance needs. Only for networks with a prompt.",
    )
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


class Autoencoder(Optimisation):
    """An autoencoder that the study trains on its own images: diffusers' AutoencoderKL.

    It is trained once, on everyone's images, and stays the same for every subset. So values do not credit anybody for
    what it learnt from them.
    """

    channels: list[int] = Field(
        min_length=1,
        description="Width of each level, from the finest to the coarsest. Each level but the last halves the images.",
    )
    layers_per_block: int = Field(default=1, ge=1, description="Number of residual blocks at each level.")
    norm_groups: int = Field(
        default=8, ge=1, description="Number of groups of every group normalisation. It divides every width."
    )
    latent_channels: int = Field(default=4, ge=1, description="Channels of the latents.")
    kl_weight: float = Field(
        default=1.0e-4,
        ge=0,
        description="Weight of the latents' divergence from a standard normal distribution, beside the mean squared"
        " error of images in [-1, 1].",
    )

    @model_validator(mode="after")
    def check_channels(self) -> Self:
        if any(width < 1 or width % self.norm_groups for width in self.channels):
            raise ValueError(f"channels: found {self.channels}, expected multiples of norm_groups = {self.norm_groups}")
        return self


class Given(Section):
    """The full model is one that exists already, in diffusers' format. It is not trained.

    With `model.kind: unet` it is a UNet2DModel, saved by itself or in the folder `unet` of a pipeline. With `dit` it is
    a DiTTransformer2DModel, by itself or in the folder `transformer`. With `lora` it is adapters, as
    `save_lora_weights` of diffusers or `save_pretrained` of peft writes them. The section `model` then has no widths
    and no rank, because the model says them itself. `data` are the images that it was trained on.
    """

    model_config = ConfigDict(serialize_by_alias=True)
    checkpoints: ClassVar[int] = 0

    from_: str = Field(alias="from", description="Name of the weights of the model.")

    def needs_weights(self) -> list[str]:
        return [self.from_]


GIVEN, TRAINED = TAGS = "(given)", "(trained)"  # pydantic puts these among the keys of what it complains of


def _given(section: Any) -> str:
    """Which of the two a section is."""
    return GIVEN if isinstance(section, Given) or (isinstance(section, dict) and "from" in section) else TRAINED


TrainedOrGiven = Annotated[Annotated[Training, Tag(TRAINED)] | Annotated[Given, Tag(GIVEN)], Discriminator(_given)]
