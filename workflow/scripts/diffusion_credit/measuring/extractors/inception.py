"""Inception v3 of 2015, the network that Inception Score and FID are defined on, on images resized as clean-fid does.

The network is NVIDIA's TorchScript translation of Google's graph, the file that clean-fid downloads:
https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt
(95,607,719 bytes, sha256 f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4).
Resizing: Parmar et al., arXiv 2104.11222. Probabilities are without the bias of the last layer, as in the code of
Salimans et al., arXiv 1606.03498, and over all 1,008 outputs.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.options import ExtractorSection

SIZE = 299


class Options(ExtractorSection):
    """Inception v3 in the TorchScript file inception-2015-12-05.pt, as clean-fid uses it."""

    kind: Literal["inception"]
    weights: str = Field(description="Name of the weights whose `sha256` names the file, the only one ending in .pt.")
    batch_size: int = Field(default=64, ge=1, description="Images at once; bounds the memory.")

    def needs_weights(self) -> list[str]:
        return [self.weights]

    def needs_digests(self) -> dict[str, str]:
        return {self.weights: ".pt"}

    def arrays(self) -> list[str]:
        return ["features", "probabilities"]


def load(
    options: dict[str, Any], folder: None, weights: dict[str, Path], device: str
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """A function from uint8 images to {"features": (images, 2048), "probabilities": (images, 1008)} float32."""
    import torch

    from diffusion_credit.measuring.embedding import in_batches, resized
    from diffusion_credit.models.weights import open_file

    path = open_file(weights[options["weights"]], ".pt")
    try:
        network = torch.jit.load(path, map_location=device).eval()
        layers, last = network.layers, network.output.weight
    except (RuntimeError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: found no Inception network ({str(error).strip().splitlines()[0]})") from None

    def embed(pixels: np.ndarray) -> dict[str, torch.Tensor]:
        features = layers((resized(pixels, SIZE).to(device) - 128) / 128).flatten(1)
        return {"features": features, "probabilities": (features @ last.T).softmax(1)}

    return in_batches(embed, options["batch_size"])
