"""What the extractors with pretrained networks share: colours, sizes, batches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.pretrained import first_line
from diffusion_credit.models.weights import open_weights


def to_colour(pixels: np.ndarray) -> np.ndarray:
    """Images of 1 or 3 channels as images of 3: (images, height, width, 3) uint8."""
    return np.repeat(pixels, 3, axis=3) if pixels.shape[3] == 1 else pixels


def resized(pixels: np.ndarray, size: int) -> torch.Tensor:
    """Images (images, height, width, channels) uint8 as (images, 3, size, size) float32 from 0 to 255.

    Bicubic with a filter as wide as the reduction, computed in floating point and not rounded.
    Source: Parmar et al., On Aliased Resizing and Surprising Subtleties in GAN Evaluation, arXiv 2104.11222.
    """
    result = np.empty((len(pixels), 3, size, size), dtype=np.float32)
    for image, planes in zip(to_colour(pixels), result, strict=True):
        for channel in range(3):
            plane = Image.fromarray(image[:, :, channel].astype(np.float32))
            planes[channel] = np.asarray(plane.resize((size, size), Image.Resampling.BICUBIC))
    return torch.from_numpy(result.clip(0, 255, out=result))


def in_batches(
    embed: Callable[[np.ndarray], dict[str, torch.Tensor]], batch_size: int
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """A function of any number of images from one of at most `batch_size`."""

    @torch.inference_mode()
    def extract(pixels: np.ndarray) -> dict[str, np.ndarray]:
        with _full_precision():
            parts = [embed(pixels[start : start + batch_size]) for start in range(0, len(pixels), batch_size)]
        return {name: torch.cat([part[name] for part in parts]).float().cpu().numpy() for name in parts[0]}

    return extract


@contextmanager
def _full_precision() -> Iterator[None]:
    """No TensorFloat-32, in which a GPU's convolutions keep three decimal digits."""
    matmul = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = matmul


def load_processor(manifest: Path) -> Callable[[np.ndarray], torch.Tensor]:
    """The weights' own way from (images, height, width, channels) uint8 to a network's input, always with Pillow."""
    from transformers import AutoImageProcessor

    folder = open_weights(manifest)
    try:
        processor = AutoImageProcessor.from_pretrained(
            folder, backend="pil", local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise UserError(f"{folder}: found no image processor ({first_line(error)})") from None

    def process(pixels: np.ndarray) -> torch.Tensor:
        pictures = [Image.fromarray(image) for image in to_colour(pixels)]
        return processor(images=pictures, return_tensors="pt")["pixel_values"]

    return process
