"""FLUX.1 (Black Forest Labs, 2024): a transformer by flow matching on latents in patches of 2 x 2, told by T5 and CLIP.

Adapters: on the attention layers of diffusers' examples/dreambooth/train_dreambooth_lora_flux.py. FLUX.1 [dev] is told
the strength of guidance, which is 1 in training, as that example advises; [schnell] has none.
"""

from typing import TYPE_CHECKING, Any

from diffusion_credit.models.families import sd3

if TYPE_CHECKING:
    import numpy as np
    import torch

    from diffusion_credit.models.families import Told

PIPELINE = "pipelines.flux.pipeline_flux.FluxPipeline"
DENOISER = ("transformer", "models.transformers.transformer_flux.FluxTransformer2DModel")
LOADER = "FluxLoraLoaderMixin"
TOKENS = 512  # that T5 reads, as the pipeline has it
ENCODERS = {
    "text_encoder": ("CLIPTextModel", "tokenizer", "CLIPTokenizer"),
    "text_encoder_2": ("T5EncoderModel", "tokenizer_2", "T5TokenizerFast"),
}
WITHOUT: dict[str, Any] = {}
READS = ("tokenizer_2", TOKENS)
LAYERS = sd3.LAYERS
ADDITION = None
DISTILLED = True
MULTIPLE = 2
BASE = {"base_image_seq_len": 256, "max_image_seq_len": 4096, "base_shift": 0.5, "max_shift": 1.15}


def channels(config: Any) -> int:
    """A quarter of those of its input, which are of a patch."""
    return int(config.in_channels) // 4


def embed(pipeline: Any, text: str, size: tuple[int, int], device: str) -> "Told":
    """states (1, tokens, width) of T5, and CLIP's pooled (1, width)."""
    states, pooled, _ = pipeline.encode_prompt(text, text, device=device, max_sequence_length=TOKENS)
    return {"states": states, "pooled": pooled}


def predict(model: Any, x: "torch.Tensor", t: "torch.Tensor", told: "Told", guidance: float) -> "torch.Tensor":
    """The velocity from the image to the noise."""
    batch, channels, height, width = x.shape
    rows, columns = height // 2, width // 2
    patches = x.reshape(batch, channels, rows, 2, columns, 2).permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
    places = x.new_zeros(rows, columns, 3)
    places[..., 1] += x.new_tensor(range(rows))[:, None]
    places[..., 2] += x.new_tensor(range(columns))
    found = model(
        patches,
        timestep=t / 1000,
        guidance=x.new_full((batch,), guidance) if model.config.guidance_embeds else None,
        encoder_hidden_states=told["states"],
        pooled_projections=told["pooled"],
        txt_ids=x.new_zeros(told["states"].shape[1], 3),
        img_ids=places.flatten(0, 1),
    ).sample
    return found.reshape(batch, rows, columns, channels, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(x.shape)


def levels(scheduler: dict[str, Any], steps: int, shape: tuple[int, int, int]) -> "np.ndarray":
    """Even ones, shifted by the number of patches where the base says so (`use_dynamic_shifting`)."""
    import numpy as np

    from diffusion_credit.models.diffusion import shifted

    even, said = np.linspace(1, 1 / steps, steps), {**BASE, **scheduler}
    if not scheduler.get("use_dynamic_shifting"):
        return shifted(even, scheduler.get("shift", 1.0))
    share = (shape[1] * shape[2] / 4 - said["base_image_seq_len"]) / (
        said["max_image_seq_len"] - said["base_image_seq_len"]
    )
    return shifted(even, float(np.exp(said["base_shift"] + share * (said["max_shift"] - said["base_shift"]))))
