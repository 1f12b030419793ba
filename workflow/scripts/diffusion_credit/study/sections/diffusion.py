"""The noising process, and the images that are drawn with it."""

from typing import Literal

from pydantic import Field

from diffusion_credit.base.options import Section


class Diffusion(Section):
    """The noising process that training and sampling share."""

    timesteps: int = Field(default=1000, ge=2, description="Number of noise levels.")
    schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2"] = Field(
        default="linear", description="How noise grows with the timestep (diffusers' names)."
    )
    beta_start: float = Field(
        default=0.0001, gt=0, description="First noise variance. squaredcos_cap_v2 does not use it."
    )
    beta_end: float = Field(default=0.02, gt=0, description="Last noise variance. squaredcos_cap_v2 does not use it.")
    prediction: Literal["epsilon", "v_prediction", "sample"] = Field(
        default="epsilon", description="What the network predicts: the noise, the velocity, or the clean image."
    )


class Generation(Section):
    """Images generated from every model, from the same noise."""

    images: int = Field(ge=2, description="Number of images that each model generates.")
    solver: Literal["dpm_solver++", "ddim", "pndm"] = Field(
        default="ddim", description="The sampler. ddim does not clip."
    )
    steps: int = Field(default=100, ge=1, description="Network evaluations for each image.")
    guidance: float = Field(
        default=1.0,
        ge=1,
        description="Strength of classifier-free guidance away from the empty prompt, for networks with a"
        " prompt. 1 means none.",
    )
    batch_size: int = Field(default=256, ge=1, description="Images at once. It bounds the memory.")
    precision: Literal["float32", "bf16"] = Field(default="float32", description="Arithmetic of the network.")
