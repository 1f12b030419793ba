"""Stable Diffusion 3 and 3.5 (Esser et al., arXiv 2403.03206): a transformer by flow matching, told by three encoders.

Adapters: on the layers of diffusers' examples/dreambooth/train_dreambooth_lora_sd3.py.
"""

from typing import TYPE_CHECKING, Any

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.families import stable_diffusion

if TYPE_CHECKING:
    import numpy as np
    import torch

    from diffusion_credit.models.families import Told

PIPELINE = "pipelines.stable_diffusion_3.pipeline_stable_diffusion_3.StableDiffusion3Pipeline"
DENOISER = ("transformer", "models.transformers.transformer_sd3.SD3Transformer2DModel")
LOADER = "SD3LoraLoaderMixin"
TOKENS = 256  # that T5 reads, as the pipeline has it
ENCODERS = {
    "text_encoder": ("CLIPTextModelWithProjection", "tokenizer", "CLIPTokenizer"),
    "text_encoder_2": ("CLIPTextModelWithProjection", "tokenizer_2", "CLIPTokenizer"),
    "text_encoder_3": ("T5EncoderModel", "tokenizer_3", "T5TokenizerFast"),
}
WITHOUT: dict[str, Any] = {}
READS = ("tokenizer_3", TOKENS)
LAYERS = [
    "attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0",  # of the image
    "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj", "attn.to_add_out",  # of the text
]  # fmt: skip
ADDITION = None
DISTILLED = False
MULTIPLE = 2
channels = stable_diffusion.channels


def embed(pipeline: Any, text: str, size: tuple[int, int], device: str) -> "Told":
    """states (1, tokens, width) of CLIP's and T5's tokens, and pooled (1, width)."""
    states, _, pooled, _ = pipeline.encode_prompt(
        text, text, text, device=device, do_classifier_free_guidance=False, max_sequence_length=TOKENS
    )
    return {"states": states, "pooled": pooled}


def predict(model: Any, x: "torch.Tensor", t: "torch.Tensor", told: "Told", guidance: float) -> "torch.Tensor":
    """The velocity from the image to the noise."""
    return model(x, timestep=t, encoder_hidden_states=told["states"], pooled_projections=told["pooled"]).sample


def levels(scheduler: dict[str, Any], steps: int, shape: tuple[int, int, int]) -> "np.ndarray":
    """Even between the highest and the lowest level of training, which are shifted already, and shifted again."""
    import numpy as np

    from diffusion_credit.models.diffusion import shifted

    if scheduler.get("use_dynamic_shifting"):
        raise UserError(
            "scheduler/scheduler_config.json: found use_dynamic_shifting, expected a base of the family sd3 without it"
        )
    shift = scheduler.get("shift", 1.0)
    lowest = shifted(np.array(1 / scheduler.get("num_train_timesteps", 1000)), shift)
    return shifted(np.linspace(1, lowest, steps), shift)
