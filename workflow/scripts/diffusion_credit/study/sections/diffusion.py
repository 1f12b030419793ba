"""The noising process, and the images that are drawn with it."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from diffusion_credit.base.options import Section
from diffusion_credit.models.options import FLOW


class Diffusion(Section):
    """The noising process that training and sampling share."""

    timesteps: int = Field(default=1000, ge=2, description="Number of noise levels.")
    schedule: Literal["linear", "scaled_linear", "squaredcos_cap_v2", "flow"] = Field(
        default="linear",
        description="How noise grows with the timestep (diffusers' names). `flow` is flow matching: straight lines"
        " between images and noise, along which the network predicts the velocity.",
    )
    beta_start: float = Field(
        default=0.0001, gt=0, description="First noise variance. squaredcos_cap_v2 and flow do not use it."
    )
    beta_end: float = Field(
        default=0.02, gt=0, description="Last noise variance. squaredcos_cap_v2 and flow do not use it."
    )
    prediction: Literal["epsilon", "v_prediction", "sample"] = Field(
        default="epsilon",
        description="What the network predicts: the noise, the velocity, or the clean image. Flow matching does not use"
        " it.",
    )
    times: Literal["uniform", "logit_normal"] = Field(
        default="uniform",
        description="How training draws the noise levels of flow matching: all alike, or those in the middle more"
        " often.",
    )
    shift: float = Field(
        default=1.0,
        gt=0,
        description="Shift of the noise levels of flow matching. More than 1 means more noise; large images need it.",
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        others = ("beta_start", "beta_end", "prediction") if self.schedule == FLOW else ("times", "shift")
        for key in others:
            if getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(
                    f"{key}: found {getattr(self, key)}, expected nothing, because the schedule {self.schedule} does"
                    " not use it"
                )
        return self


class Generation(Section):
    """Images generated from every model, from the same noise."""

    images: int = Field(ge=2, description="Number of images that each model generates.")
    solver: Literal["dpm_solver++", "ddim", "pndm", "flow_euler"] = Field(
        default="ddim", description="The sampler. ddim does not clip. Flow matching needs `flow_euler`."
    )
    steps: int = Field(default=100, ge=1, description="Network evaluations for each image.")
    guidance: float = Field(
        default=1.0,
        ge=1,
        description="Strength of classifier-free guidance away from the empty prompt, for networks with a"
        " prompt. 1 means none.",
    )
    prompts: list[str] | str | None = Field(
        default=None,
        description="Texts that images are generated for: a list, or a file with one on each line. Each image has one."
        " All have equal shares, in an order that the seed draws. Without it `model.prompt` is the only one.",
    )

    @field_validator("prompts", mode="before")
    @classmethod
    def texts(cls, prompts: Any) -> Any:
        """One sentence, where each of the two types would have its own."""
        listed = isinstance(prompts, list) and bool(prompts) and all(isinstance(text, str) for text in prompts)
        if not (prompts is None or (listed and all(text.strip() for text in prompts)) or isinstance(prompts, str)):
            raise ValueError("a list of texts, or the file that has one on each line")
        return prompts

    batch_size: int = Field(default=256, ge=1, description="Images at once. It bounds the memory.")
    precision: Literal["float32", "bf16"] = Field(default="float32", description="Arithmetic of the network.")
