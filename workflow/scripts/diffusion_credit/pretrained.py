"""Frozen parts of published models, in the folders that diffusers and transformers write: safetensors and JSON only."""

from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.vq_model import VQModel
from safetensors import SafetensorError

from diffusion_credit.errors import UserError
from diffusion_credit.files import read_json

AUTOENCODERS = {"AutoencoderKL": AutoencoderKL, "VQModel": VQModel}
PROCESS = {  # keys of a scheduler's config by ours
    "timesteps": "num_train_timesteps",
    "schedule": "beta_schedule",
    "beta_start": "beta_start",
    "beta_end": "beta_end",
    "prediction": "prediction_type",
}


def load_pretrained(kind: Any, folder: Path) -> Any:
    """A diffusers or transformers model or tokenizer from its folder, its weights in float32 whatever they are there.

    Raises UserError naming the folder that is damaged.
    """
    try:
        found = kind.from_pretrained(folder, use_safetensors=True, local_files_only=True)
        return found.float() if isinstance(found, torch.nn.Module) else found
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{folder}: found no {kind.__name__} that loads ({reason}), expected safetensors") from None


class Autoencoder:
    """Between images in [-1, 1] and the latents that a network works in."""

    def __init__(self, folder: Path, scale: float | None, device: str) -> None:
        """folder: of the autoencoder, or of a pipeline with one in `vqvae` or `vae`. scale: none for its own."""
        folder = next((f for f in (folder, folder / "vqvae", folder / "vae") if (f / "config.json").is_file()), folder)
        name = read_json(folder / "config.json").get("_class_name")
        if name not in AUTOENCODERS:
            raise UserError(f"{folder / 'config.json'}: found {name!r}, expected one of {sorted(AUTOENCODERS)}")
        self.folder = folder
        self.model = load_pretrained(AUTOENCODERS[name], folder).to(device).eval().requires_grad_(False)
        self.scale = float(scale or self.model.config.scaling_factor)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Latents of (batch, channels, height, width) images; of a Gaussian posterior the mean."""
        if x.shape[1] != self.model.config.in_channels:
            raise UserError(
                f"{self.folder}: found an autoencoder for {self.model.config.in_channels} channels, expected"
                f" {x.shape[1]}, as the images have (data.mode)"
            )
        found = self.model.encode(x)
        return self.scale * (found.latents if isinstance(self.model, VQModel) else found.latent_dist.mean)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Images of these latents."""
        decoded: torch.Tensor = self.model.decode(latents / self.scale).sample
        return decoded


def embed_prompts(folder: Path, prompts: dict[str, str], device: str) -> dict[str, torch.Tensor]:
    """The text encoder's last hidden states, (1, tokens, width) each; padded and cut as the tokenizer says."""
    from transformers import CLIPTextModel, CLIPTokenizer

    tokenizer = load_pretrained(CLIPTokenizer, folder / "tokenizer")
    encoder = load_pretrained(CLIPTextModel, folder / "text_encoder").to(device).eval()

    def embed(text: str) -> torch.Tensor:
        tokens = tokenizer(
            text, padding="max_length", max_length=tokenizer.model_max_length, truncation=True, return_tensors="pt"
        )
        states: torch.Tensor = encoder(tokens.input_ids.to(device))[0]
        return states

    return {name: embed(text) for name, text in prompts.items()}


def check_process(folder: Path, options: dict[str, Any]) -> None:
    """Raises UserError unless the study's `diffusion` is the process that the base model was trained for."""
    file = folder / "scheduler" / "scheduler_config.json"
    found = read_json(file)
    found.setdefault("prediction_type", "epsilon")  # older configs leave it out
    for ours, theirs in PROCESS.items():
        if options[ours] != found.get(theirs):
            raise UserError(
                f"config: diffusion.{ours}: found {options[ours]}, expected {found.get(theirs)}, as {file} says"
            )


def identity(x: torch.Tensor) -> torch.Tensor:
    """What decodes pixels."""
    return x
