"""What frozen models make of images and texts for networks that work in latents, and back."""

from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import read_json
from diffusion_credit.models.options import FLOW
from diffusion_credit.models.pretrained import load_pretrained
from diffusion_credit.models.weights import open_weights

AUTOENCODERS = {  # class -> its module in diffusers
    "AutoencoderKL": "diffusers.models.autoencoders.autoencoder_kl",
    "VQModel": "diffusers.models.autoencoders.vq_model",
}
SCHEDULER = "scheduler/scheduler_config.json"  # of a pipeline
PLAIN_FLOW = {  # keys of a scheduler of flow matching that change how its pipeline samples
    "shift_terminal": None, "use_karras_sigmas": False, "use_exponential_sigmas": False, "use_beta_sigmas": False,
    "invert_sigmas": False, "stochastic_sampling": False, "time_shift_type": "exponential",
}  # fmt: skip
WITH_BETAS = ("linear", "scaled_linear")  # schedules that beta_start and beta_end are of
PROCESS = {  # keys of a scheduler's config by ours
    "timesteps": "num_train_timesteps",
    "schedule": "beta_schedule",
    "beta_start": "beta_start",
    "beta_end": "beta_end",
    "prediction": "prediction_type",
}


class Autoencoder:
    """Between images in [-1, 1] and the latents that a network works in."""

    def __init__(self, manifest: Path, scale: float | None, device: str) -> None:
        """manifest: of the weights of an autoencoder, or of a pipeline with one in `vqvae` or `vae`.

        scale: factor on the latents, none for the autoencoder's own. Raises UserError when there is no autoencoder.
        """
        top = open_weights(manifest)
        folders = [f for f in (top, top / "vqvae", top / "vae") if (f / "config.json").is_file()]
        if not folders:
            raise UserError(f"{top}: found no config.json of an autoencoder, expected one here or in vqvae or vae")
        self.folder = folders[0]
        name = read_json(self.folder / "config.json").get("_class_name")
        if name not in AUTOENCODERS:
            raise UserError(f"{self.folder / 'config.json'}: found {name!r}, expected one of {sorted(AUTOENCODERS)}")
        kind = getattr(import_module(AUTOENCODERS[name]), name)
        self.model = load_pretrained(kind, self.folder, device)
        self.scale = float(scale or self.model.config.scaling_factor)
        self.shift = float(getattr(self.model.config, "shift_factor", None) or 0)
        if getattr(self.model.config, "latents_mean", None):
            raise UserError(f"{self.folder}: found latents_mean, expected one scale and one shift for all channels")

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Latents of (batch, channels, height, width) images; of a Gaussian posterior the mean."""
        if x.shape[1] != self.model.config.in_channels:
            raise UserError(
                f"{self.folder}: found an autoencoder for {self.model.config.in_channels} channels, expected"
                f" {x.shape[1]}, as the images have (data.mode)"
            )
        factor = 2 ** (len(self.model.config.block_out_channels) - 1)
        if x.shape[2] % factor or x.shape[3] % factor:
            raise UserError(
                f"config: data.size: found images of {x.shape[2]} x {x.shape[3]}, expected a multiple of {factor}, by"
                f" which {self.folder} shrinks them"
            )
        found = self.model.encode(x)
        latents = found.latents if type(self.model).__name__ == "VQModel" else found.latent_dist.mean
        return self.scale * (latents - self.shift)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """The images that these latents stand for."""
        decoded: torch.Tensor = self.model.decode(latents / self.scale + self.shift).sample
        return decoded


def identity(x: torch.Tensor) -> torch.Tensor:
    """The decoder of a network that works in pixels: it changes nothing."""
    return x


def check_process(manifest: Path, options: dict[str, Any]) -> None:
    """Raises UserError unless the study's `diffusion` is the process that the base model was trained for."""
    file = open_weights(manifest) / SCHEDULER
    found = read_json(file)
    flow = str(found.get("_class_name")).startswith("FlowMatch")
    if not flow and "beta_schedule" not in found:
        raise UserError(
            f"{file}: found {found.get('_class_name')}, which has no noise variances for each timestep, expected a"
            " scheduler of a model that was trained with them"
        )
    if flow:
        # where the shift depends on the number of pixels, training has none
        shift = 1.0 if found.get("use_dynamic_shifting") else found.get("shift", 1.0)
        expected = {"schedule": FLOW, "timesteps": found.get("num_train_timesteps", 1000), "shift": shift}
    else:
        found.setdefault("prediction_type", "epsilon")  # older configs leave it out
        unused = () if options["schedule"] in WITH_BETAS else ("beta_start", "beta_end")
        expected = {ours: found.get(theirs) for ours, theirs in PROCESS.items() if ours not in unused}
    for key, value in expected.items():
        if options[key] != value:
            raise UserError(f"config: diffusion.{key}: found {options[key]}, expected {value}, as {file} says")
    for key, plain in PLAIN_FLOW.items() if flow else ():
        if found.get(key, plain) not in (plain, None):
            raise UserError(f"{file}: found {key} = {found[key]!r:.40}, expected {plain}")
    for key in () if flow else ("trained_betas", "rescale_betas_zero_snr"):
        if found.get(key):
            raise UserError(f"{file}: found {key} = {found[key]!r:.40}, expected a process without it")


def check_given_process(manifest: Path, options: dict[str, Any]) -> None:
    """The same of a model that comes with or without a scheduler; one without does not say its process."""
    if (open_weights(manifest) / SCHEDULER).is_file():
        check_process(manifest, options)
