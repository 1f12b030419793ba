"""CLIP's image embeddings, and what is made of them: an aesthetic score, and the agreement with a prompt.

Sources: Radford et al., arXiv 2103.00020; the linear aesthetic head of https://github.com/LAION-AI/aesthetic-predictor
on normalised embeddings; CLIPScore, Hessel et al., arXiv 2104.08718, in the scale of torchmetrics: 100 x cosine, not
below 0.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import ExtractorSection

PACKAGES = {"transformers": "transformers"}


class Options(ExtractorSection):
    """CLIP image embeddings of length 1. On request it adds an aesthetic score, and the agreement with a prompt."""

    kind: Literal["clip"]
    weights: str = Field(description="Name of the weights of a CLIPModel of transformers, with its image processor.")
    aesthetic_head: str | None = Field(
        default=None,
        description="Name of the weights of a linear head, such as LAION's sa_0_4_vit_l_14_linear.pth,"
        " which adds the score `aesthetic`. Their `sha256` names the file, the only one"
        " ending in .pth.",
    )
    prompt: str | None = Field(
        default=None,
        min_length=1,
        description="A text. It adds the score `prompt`, from 0 to 100, for how well an image agrees with the text.",
    )
    batch_size: int = Field(default=64, ge=1, description="Images at once. It bounds the memory.")

    def needs_weights(self) -> list[str]:
        return [self.weights, *self.needs_digests()]

    def needs_digests(self) -> dict[str, str]:
        return {self.aesthetic_head: ".pth"} if self.aesthetic_head else {}

    def scores(self) -> list[str]:
        return [*(["aesthetic"] if self.aesthetic_head else []), *(["prompt"] if self.prompt else [])]


def load(
    options: dict[str, Any], folder: None, weights: dict[str, Path], device: str
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """A function from uint8 images to {"features": (images, d), "aesthetic" and "prompt": (images,)} float32."""
    import torch
    from transformers import CLIPModel

    from diffusion_credit.measuring.embedding import in_batches, load_processor
    from diffusion_credit.models.pretrained import load_pretrained
    from diffusion_credit.models.weights import open_weights

    model = load_pretrained(CLIPModel, open_weights(weights[options["weights"]]), device)
    process = load_processor(weights[options["weights"]])
    head = text = None
    if options["aesthetic_head"]:
        head = _linear_head(weights[options["aesthetic_head"]], model.config.projection_dim).to(device)
    if options["prompt"]:
        text = _text_embedding(model, weights[options["weights"]], options["prompt"], device)

    def embed(pixels: np.ndarray) -> dict[str, torch.Tensor]:
        features = _normalised(model.get_image_features(process(pixels).to(device)).pooler_output)
        found = {"features": features}
        if head:
            found["aesthetic"] = head(features).squeeze(1)
        if text is not None:
            found["prompt"] = (100 * features @ text).clamp(min=0)
        return found

    return in_batches(embed, options["batch_size"])


def _normalised(x: Any) -> Any:
    return x / x.norm(dim=-1, keepdim=True)


def _linear_head(manifest: Path, width: int) -> Any:
    """The linear layer in a state dict of `weight` (1, width) and `bias` (1,)."""
    import torch

    from diffusion_credit.models.weights import open_file

    path = open_file(manifest, ".pth")
    head = torch.nn.Linear(width, 1)
    try:
        head.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # of unpickling, or of other names and shapes
        reason = str(error).strip().splitlines()[-1].strip()
        raise UserError(f"{path}: found no linear layer from {width} numbers to one ({reason})") from None
    return head


def _text_embedding(model: Any, manifest: Path, prompt: str, device: str) -> Any:
    """The embedding (d,) of a prompt, of length 1."""
    import torch

    from diffusion_credit.models.pretrained import load_tokenizer
    from diffusion_credit.models.weights import open_weights

    tokens = load_tokenizer("CLIPTokenizer", open_weights(manifest))([prompt], return_tensors="pt")
    most = model.config.text_config.max_position_embeddings
    if tokens["input_ids"].shape[1] > most:
        raise UserError(f"config: prompt: found {tokens['input_ids'].shape[1]} tokens, expected at most {most}")
    with torch.inference_mode():
        return _normalised(model.get_text_features(**tokens.to(device)).pooler_output)[0]
