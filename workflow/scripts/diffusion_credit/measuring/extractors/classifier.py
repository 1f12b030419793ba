"""Features and class probabilities of the classifier that the workflow trains on the contributors' images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import ExtractorSection


class Options(ExtractorSection):
    """A small convolutional network trained to tell the contributors apart."""

    fitted: ClassVar[bool] = True

    kind: Literal["classifier"]
    steps: int = Field(ge=1, description="Training steps of the classifier.")
    batch_size: int = Field(default=64, ge=1, description="Images in each training step.")
    learning_rate: float = Field(default=0.002, gt=0, description="AdamW's learning rate, decayed by cosine.")
    held_out_share: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="Share of every contributor's images that is kept to measure the classifier's accuracy.",
    )

    def arrays(self) -> list[str]:
        return ["features", "probabilities"]

    def scores(self) -> list[str]:
        return ["confidence"]


def fit(
    options: dict[str, Any], pixels: np.ndarray, owner: np.ndarray, classes: int, seed: int, folder: Path
) -> dict[str, Any]:
    """Train the classifier on the study's own images into `folder`; return its accuracies."""
    from diffusion_credit.measuring.classifier import train_classifier

    return train_classifier(pixels, owner, classes, options, seed, folder)


def load(
    options: dict[str, Any], folder: Path, weights: dict[str, Path], device: str
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """A function from uint8 images to features (images, 32), probabilities (images, classes), confidence (images,).

    All float32. The confidence is the probability of the likeliest class.
    """
    import torch  # late, because the Snakefile reads this module for its Options

    from diffusion_credit.data.images import to_float
    from diffusion_credit.measuring.classifier import CHUNK, load_classifier
    from diffusion_credit.measuring.embedding import in_batches

    model = load_classifier(folder).to(device)

    def embed(pixels: np.ndarray) -> dict[str, torch.Tensor]:
        features = model.body(torch.from_numpy(to_float(pixels)).to(device))
        probabilities = model.head(features).softmax(1)
        return {"features": features, "probabilities": probabilities, "confidence": probabilities.amax(1)}

    return in_batches(embed, CHUNK)
