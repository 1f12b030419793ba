"""Image embeddings of BLIP for visual question answering, which the CelebA-HQ study clusters.

Source: Li et al., BLIP, arXiv 2201.12086; weights such as Salesforce/blip-vqa-base. Its images are the pooled output
of the vision model, not normalised. The whole question answering model is loaded, because a bare BlipVisionModel does
not find its weights in it and would be drawn at random.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import ExtractorSection

PACKAGES = {"transformers": "transformers"}


class Options(ExtractorSection):
    """Image embeddings of a BLIP model for visual question answering (BLIP-VQA)."""

    kind: Literal["blip"]
    weights: str = Field(description="Name of the weights of a BlipForQuestionAnswering, with its image processor.")
    batch_size: int = Field(default=32, ge=1, description="Images at once. It bounds the memory.")

    def needs_weights(self) -> list[str]:
        return [self.weights]


def load(
    options: dict[str, Any], folder: None, weights: dict[str, Path], device: str
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """A function from uint8 images to {"features": (images, d)} float32."""
    import torch
    from transformers import BlipForQuestionAnswering

    from diffusion_credit.measuring.embedding import in_batches, load_processor
    from diffusion_credit.models.pretrained import load_pretrained
    from diffusion_credit.models.weights import open_weights

    found = open_weights(weights[options["weights"]])
    model = load_pretrained(BlipForQuestionAnswering, found, device).vision_model
    process = load_processor(weights[options["weights"]])

    def embed(pixels: np.ndarray) -> dict[str, torch.Tensor]:
        return {"features": model(process(pixels).to(device)).pooler_output}

    return in_batches(embed, options["batch_size"])
