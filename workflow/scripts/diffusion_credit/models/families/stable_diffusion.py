"""Stable Diffusion 1 and 2 (Rombach et al., arXiv 2112.10752): a U-Net that is told CLIP's states of a text.

Adapters: on the layers of diffusers' examples/text_to_image/train_text_to_image_lora.py.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from diffusion_credit.models.families import Told

PIPELINE = "pipelines.stable_diffusion.pipeline_stable_diffusion.StableDiffusionPipeline"
DENOISER = ("unet", "models.unets.unet_2d_condition.UNet2DConditionModel")
LOADER = "StableDiffusionLoraLoaderMixin"
ENCODERS = {"text_encoder": ("CLIPTextModel", "tokenizer", "CLIPTokenizer")}
WITHOUT = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
READS = ("tokenizer", None)
LAYERS = ["to_q", "to_k", "to_v", "to_out.0"]  # of self- and cross-attention alike
ADDITION = None
DISTILLED = False
MULTIPLE = 1


def channels(config: Any) -> int:
    """Those of its input."""
    return int(config.in_channels)


def embed(pipeline: Any, text: str, size: tuple[int, int], device: str) -> "Told":
    """states (1, tokens, width)."""
    states, _ = pipeline.encode_prompt(text, device, 1, False)
    return {"states": states}


def predict(model: Any, x: "torch.Tensor", t: "torch.Tensor", told: "Told", guidance: float) -> "torch.Tensor":
    """The noise, or what the base's process says."""
    return model(x, t, encoder_hidden_states=told["states"]).sample


def levels(scheduler: dict[str, Any], steps: int, shape: tuple[int, int, int]) -> None:
    """None: it has timesteps."""
