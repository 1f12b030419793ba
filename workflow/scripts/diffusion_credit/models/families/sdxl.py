"""Stable Diffusion XL (Podell et al., arXiv 2307.01952): two text encoders, a pooled embedding, and sizes.

Adapters: on the layers of diffusers' examples/text_to_image/train_text_to_image_lora_sdxl.py. The empty text is all
zeros where the base's model_index.json says so, as its pipeline does.
"""

from typing import TYPE_CHECKING, Any

from diffusion_credit.models.families import stable_diffusion

if TYPE_CHECKING:
    import torch

    from diffusion_credit.models.families import Told

PIPELINE = "pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl.StableDiffusionXLPipeline"
DENOISER = stable_diffusion.DENOISER
LOADER = "StableDiffusionXLLoraLoaderMixin"
ENCODERS = {
    "text_encoder": ("CLIPTextModel", "tokenizer", "CLIPTokenizer"),
    "text_encoder_2": ("CLIPTextModelWithProjection", "tokenizer_2", "CLIPTokenizer"),
}
WITHOUT: dict[str, Any] = {}
READS = ("tokenizer", None)
LAYERS = stable_diffusion.LAYERS
ADDITION = "text_time"
MULTIPLE = 1
DISTILLED = False
channels, levels = stable_diffusion.channels, stable_diffusion.levels


def embed(pipeline: Any, text: str, size: tuple[int, int], device: str) -> "Told":
    """states (1, tokens, width), pooled (1, width), and sizes (1, 6): original, top left corner of the crop, target."""
    import torch

    states, _, pooled, _ = pipeline.encode_prompt(text, device=device, do_classifier_free_guidance=False)
    if not text and pipeline.config.force_zeros_for_empty_prompt:
        states, pooled = torch.zeros_like(states), torch.zeros_like(pooled)
    return {"states": states, "pooled": pooled, "sizes": torch.tensor([[*size, 0.0, 0.0, *size]])}


def predict(model: Any, x: "torch.Tensor", t: "torch.Tensor", told: "Told", guidance: float) -> "torch.Tensor":
    """The noise, or what the base's process says."""
    more = {"text_embeds": told["pooled"], "time_ids": told["sizes"]}
    return model(x, t, encoder_hidden_states=told["states"], added_cond_kwargs=more).sample
