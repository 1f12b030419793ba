"""An autoencoder that is trained on a study's own images, for networks that work in its latents.

Source: R. Rombach et al., High-Resolution Image Synthesis with Latent Diffusion Models, CVPR 2022, arXiv 2112.10752,
sections 3.1 and G. The reconstruction's loss is the squared error alone: perceptual and adversarial losses need further
networks, which would have to be trained first.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import nn

from diffusion_credit.base.collection import announce_entry, fill
from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import digest_of, versions
from diffusion_credit.base.plugins import packages_of_training
from diffusion_credit.base.seeds import named_seed
from diffusion_credit.data.images import to_float, to_uint8
from diffusion_credit.models.optimising import batch_of, optimise
from diffusion_credit.models.options import AUTOENCODER, AUTOENCODER_FILES
from diffusion_credit.models.pretrained import load_pretrained

CHUNK = 64  # images at once; a constant, because the last bits depend on it


def architecture(options: dict[str, Any], channels: int) -> dict[str, Any]:
    """AutoencoderKL's arguments for images of so many channels. options: a section `weights.<name>.autoencoder`."""
    levels = len(options["channels"])
    return {
        "in_channels": channels,
        "out_channels": channels,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "block_out_channels": options["channels"],
        "layers_per_block": options["layers_per_block"],
        "latent_channels": options["latent_channels"],
        "norm_num_groups": options["norm_groups"],
        "mid_block_add_attention": False,
    }


def train_autoencoder(
    pixels: np.ndarray, options: dict[str, Any], collection: Path, progress: Callable[[str, int, int], None]
) -> int:
    """Train an AutoencoderKL on (images, height, width, channels) uint8; write it as diffusers does, as an entry.

    options: `autoencoder`, its section; `seed`, `device`, and whatever else the result depends on. Its scaling_factor
    gives the images' latents a standard deviation of 1. Return the number of entries made: 1, or 0 when it was there.
    Raises UserError on images that cannot be halved as often as it has levels.
    """
    section, device = options["autoencoder"], options["device"]
    height, width, channels = pixels.shape[1:]
    factor = 2 ** (len(section["channels"]) - 1)
    if height % factor or width % factor:
        raise UserError(
            f"config: data.size: found images of {height} x {width}, expected a multiple of {factor}, by which an"
            f" autoencoder with {len(section['channels'])} channels shrinks them"
        )
    provenance = {**options, "versions": versions("torch", "diffusers", "numpy") | packages_of_training(section)}
    latent = (section["latent_channels"], height // factor, width // factor)

    def make(name: str, folder: Path, state: Path) -> None:
        started = time.monotonic()
        seed = named_seed(options["seed"], AUTOENCODER)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = AutoencoderKL(**architecture(section, channels)).to(device)

        def batch(step: int, rng: np.random.Generator) -> list[torch.Tensor]:
            x = to_float(pixels[batch_of(np.arange(len(pixels)), seed, step, section["batch_size"])])
            if section["flip"]:
                x = np.where(rng.random((len(x), 1, 1, 1)) < 0.5, x[..., ::-1], x)
            noise = rng.standard_normal((len(x), *latent), dtype=np.float32)
            return [torch.from_numpy(x).to(device), torch.from_numpy(noise).to(device)]

        optimise(
            model,
            batch,
            partial(_loss, model, section),
            {**section, "checkpoints": 0},
            seed,
            state,
            digest_of(provenance),
            partial(progress, name),
        )
        latents = torch.cat([*_latents(model, pixels, device)])
        model.register_to_config(scaling_factor=1 / float(latents.std()))
        model.save_pretrained(folder)
        announce_entry(folder, list(AUTOENCODER_FILES), provenance, started)

    return fill(collection, {AUTOENCODER: provenance}, make)


def _loss(model: Any, section: dict[str, Any], x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Squared error of a batch, plus the divergence of its latents' distribution from a standard normal one."""
    with torch.autocast(x.device.type, torch.bfloat16, enabled=section["precision"] == "bf16"):
        found = model.encode(x).latent_dist
        decoded = model.decode(found.mean + found.std * noise).sample
    mean, log_variance = found.mean.float(), found.logvar.float()
    divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
    loss: torch.Tensor = nn.functional.mse_loss(decoded.float(), x) + section["kl_weight"] * divergence
    return loss


@torch.inference_mode()
def _latents(model: Any, pixels: np.ndarray, device: str) -> Iterator[torch.Tensor]:
    """The latents of images, before any scale, in parts."""
    for start in range(0, len(pixels), CHUNK):
        yield model.encode(torch.from_numpy(to_float(pixels[start : start + CHUNK])).to(device)).latent_dist.mean


@torch.inference_mode()
def reconstructions(pixels: np.ndarray, folder: Path, device: str) -> np.ndarray:
    """Images (images, height, width, channels) uint8 as the autoencoder in `folder` gives them back."""
    model = load_pretrained(AutoencoderKL, folder, device)
    parts = (model.decode(latents).sample for latents in _latents(model, pixels, device))
    return np.concatenate([to_uint8(decoded.cpu().numpy()) for decoded in parts])


def errors(pixels: np.ndarray, decoded: np.ndarray, owner: np.ndarray) -> tuple[float, np.ndarray]:
    """Root mean square error in grey levels (of 255), of all images and (contributors,) of each one's."""
    square = ((pixels.astype(np.float64) - decoded) ** 2).mean(axis=(1, 2, 3))
    each = np.bincount(owner, square) / np.bincount(owner)
    return float(square.mean() ** 0.5), each**0.5
