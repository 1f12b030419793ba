"""What networks are trained on: the pixels themselves, or latents and embeddings of texts that are computed once."""

import hashlib
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from diffusion_credit.base.files import announce, digest_of, digest_of_file, read_manifest, replacing, versions
from diffusion_credit.base.plugins import module_of, packages_of
from diffusion_credit.data.images import to_float
from diffusion_credit.data.index import Index
from diffusion_credit.models.latents import Autoencoder, check_process
from diffusion_credit.models.texts import TEXTS, Encoder, read_texts, write_texts
from diffusion_credit.models.weights import digests_of

log = logging.getLogger(__name__)

ENCODED = "inputs.safetensors"
CHUNK = 8  # images at once; always as many, because the last bits depend on it


@dataclass(frozen=True)
class Inputs:
    """Tensors on the device of the training.

    images: (images, channels, height, width) in [-1, 1], or latents. mirrored: the latents of the mirrored images,
    which are not the mirrored latents; None for pixels. conditions: what the network is told of texts, as `read_texts`
    has it, on the CPU; labels: (images,) the row of each image's text, None without texts. latents: the autoencoder's
    name and scale, or None. digest: of all that.
    """

    images: torch.Tensor
    mirrored: torch.Tensor | None
    conditions: dict[str, torch.Tensor]
    labels: torch.Tensor | None
    latents: dict[str, Any] | None
    digest: str

    @cached_property
    def _digests(self) -> list[str]:
        """For each image, of its numbers and of what the network is told of it."""
        kinds = [tensor.cpu() for tensor in (self.images, self.mirrored) if tensor is not None]
        pictures = [_digest(*(kind[image] for kind in kinds)) for image in range(len(self.images))]
        if self.labels is None:
            return pictures
        texts = [
            _digest(*rows) for rows in zip(*(self.conditions[name] for name in sorted(self.conditions)), strict=True)
        ]
        told = zip(pictures, self.labels.tolist(), strict=True)
        return [digest_of([picture, texts[0], texts[label]]) for picture, label in told]

    def digest_of(self, images: np.ndarray) -> str:
        """A digest of all that a training on some images depends on, and on no others: their numbers and texts."""
        return digest_of([self.shape, [self._digests[image] for image in images]])

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of one image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def batch(self, images: np.ndarray, flip: np.ndarray) -> torch.Tensor:
        """The chosen images, mirrored where flip (batch,) says so."""
        x = self.images[images]
        if not flip.any():
            return x
        other = x.flip(3) if self.mirrored is None else self.mirrored[images]
        return torch.where(torch.from_numpy(flip).to(x.device)[:, None, None, None], other, x)


def _digest(*tensors: torch.Tensor) -> str:
    """sha256 of the numbers of some tensors."""
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(tensor.contiguous().numpy().tobytes())
    return found.hexdigest()


def provenance(options: dict[str, Any], inputs: Inputs, weights: dict[str, Path]) -> dict[str, Any]:
    """What a measurement of images by a network depends on, but for the network's weights and the images.

    options: with the kind of `network`. weights: name -> manifest of what is pretrained.
    """
    return {
        **options,
        "inputs": inputs.digest,
        "weights": digests_of(weights),
        "versions": versions("torch", "diffusers", "numpy") | packages_of("networks", options["network"]),
    }


def read_inputs(index: Index, pixels: np.ndarray, encoded: Path | None, device: str) -> Inputs:
    """The pixels, or what `encode` wrote. encoded: the manifest of that."""
    if encoded is None:
        return Inputs(torch.from_numpy(to_float(pixels)).to(device), None, {}, None, None, index.pixels_digest)
    latents = read_manifest(encoded.parent)["latents"]
    tensors = load_file(encoded.with_name(ENCODED), device=device)
    conditions, labels = read_texts(encoded.parent) if encoded.with_name(TEXTS).is_file() else ({}, None)
    return Inputs(tensors["images"], tensors["mirrored"], conditions, labels, latents, digest_of_file(encoded))


@torch.inference_mode()
def as_inputs(
    pixels: np.ndarray, latents: dict[str, Any] | None, weights: dict[str, Path], device: str
) -> torch.Tensor:
    """Images (images, height, width, channels) uint8 as a network takes them; latents: as in `Inputs`."""
    if latents is None:
        return torch.from_numpy(to_float(pixels)).to(device)
    autoencoder = Autoencoder(weights[latents["autoencoder"]], latents["scale"], device)
    return encoded(pixels, autoencoder, device)


def encoded(pixels: np.ndarray, autoencoder: Autoencoder, device: str, mirror: bool = False) -> torch.Tensor:
    """Latents of images, or of their mirror images, on the CPU."""
    parts = []
    for start in range(0, len(pixels), CHUNK):
        chunk = pixels[start : start + CHUNK]
        full = np.concatenate([chunk, np.repeat(chunk[-1:], CHUNK - len(chunk), axis=0)])  # the last one as well
        x = torch.from_numpy(to_float(full)).to(device)
        parts.append(autoencoder.encode(x.flip(3) if mirror else x).cpu()[: len(chunk)])
    return torch.cat(parts)


@torch.inference_mode()
def encode(
    pixels: np.ndarray,
    options: dict[str, Any],
    weights: dict[str, Path],
    folder: Path,
    captions: list[str] | None = None,
) -> tuple[int, ...]:
    """Write latents, and embeddings of texts where the network takes them, into `folder`; return one latent's shape.

    options: sections `model` and `diffusion`, `device`, and whatever else the result depends on. captions: one an
    image, in place of the one prompt. Raises UserError when images, autoencoder and network do not fit together.
    """
    model, device = options["model"], options["device"]
    name, scale = model.get("autoencoder") or model["base"], model.get("latent_scale")
    autoencoder = Autoencoder(weights[name], scale, device)
    tensors = {
        "images": encoded(pixels, autoencoder, device),
        "mirrored": encoded(pixels, autoencoder, device, mirror=True),
    }
    network, shape = module_of("networks", model["kind"]), tuple(tensors["images"].shape[1:])
    network.check_size(model, *shape[1:])
    if "base" in model:
        check_process(weights[model["base"]], options["diffusion"])
        # what these refuse is refused before anything is trained
        network.levels(network.architecture(model, shape), weights, 2)
        encoder = Encoder(model, weights, device)
        height, width = pixels.shape[1:3]
        write_texts(captions or [model["prompt"]] * len(pixels), encoder, (height, width), folder)
        if cut := [text for text in captions or [] if encoder.tokens(text) > encoder.most]:
            log.warning(
                "Warning: %d captions have more than %d tokens; the base reads the first %d only (such as %r)",
                len(cut), encoder.most, encoder.most, cut[0][:60],
            )  # fmt: skip
    with replacing(folder / ENCODED) as temporary:
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, temporary)
    files = [ENCODED, *([TEXTS] if "base" in model else [])]
    announce(folder, files, latents={"autoencoder": name, "scale": autoencoder.scale}, provenance=options)
    return shape
