"""The diffusion process: how images are noised, what the network predicts, and how images are sampled.

options (config key `diffusion`): schedule, prediction, timesteps, and beta_start and beta_end.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_pndm import PNDMScheduler

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.seeds import noise
from diffusion_credit.data.images import to_uint8

SOLVERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "dpm_solver++": (DPMSolverMultistepScheduler, {}),
    # diffusers clips the predicted image by default, which makes scores fall as the steps rise
    "ddim": (DDIMScheduler, {"clip_sample": False, "timestep_spacing": "trailing"}),
    "pndm": (PNDMScheduler, {"skip_prk_steps": True, "steps_offset": 1}),  # as Stable Diffusion was published with
}


def schedule(options: dict[str, Any]) -> dict[str, Any]:
    """The arguments that every diffusers scheduler of one process shares."""
    return {
        "num_train_timesteps": options["timesteps"],
        "beta_schedule": options["schedule"],
        "beta_start": options["beta_start"],
        "beta_end": options["beta_end"],
        "prediction_type": options["prediction"],
    }


class Process:
    """Noising and the training target."""

    def __init__(self, options: dict[str, Any], device: str) -> None:
        self.timesteps = int(options["timesteps"])
        self.prediction = options["prediction"]
        cumulative = DDPMScheduler(**schedule(options)).alphas_cumprod.to(device)
        self.signal, self.noise = cumulative.sqrt(), (1 - cumulative).sqrt()

    def noised(self, images: torch.Tensor, noise: torch.Tensor, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The noised images at timesteps t (batch,) and what the network should predict from them."""
        a, b = self.signal[t, None, None, None], self.noise[t, None, None, None]
        target = {"epsilon": lambda: noise, "v_prediction": lambda: a * noise - b * images, "sample": lambda: images}
        return a * images + b * noise, target[self.prediction]()


@torch.inference_mode()
def sample(
    predict: Callable[..., torch.Tensor],
    decode: Callable[..., torch.Tensor],
    diffusion: dict[str, Any],
    options: dict[str, Any],
    shape: tuple[int, int, int],
    seed: int,
    device: str,
    progress: Callable[[int, int], None] = lambda done, images: None,
    first: int = 0,
) -> np.ndarray:
    """Generate options["images"] images from number `first` on: uint8 (images, height, width, channels).

    predict: a network's prediction from noised tensors and a timestep. decode: from its tensors to images in [-1, 1].
    options: images, solver, steps, batch_size (images at once), precision. shape: (channels, height, width) of a
    tensor. Image i starts from the same noise for every model. Raises UserError when a pixel is not finite.
    """
    scheduler_class, arguments = SOLVERS[options["solver"]]
    out = []
    last = first + options["images"]
    for start in range(first, last, options["batch_size"]):
        stop = min(start + options["batch_size"], last)
        scheduler = scheduler_class(**schedule(diffusion), **arguments)
        scheduler.set_timesteps(options["steps"], device=device)
        x = torch.from_numpy(noise(seed, start, stop, shape)).to(device)
        with torch.autocast(device, torch.bfloat16, enabled=options["precision"] == "bf16"):
            for t in scheduler.timesteps:
                x = scheduler.step(predict(x, t).float(), t, x, return_dict=False)[0]
                progress(start - first, options["images"])
        x = decode(x)
        if not bool(torch.isfinite(x).all()):
            raise UserError("sampling: found pixels that are not finite, expected finite numbers")
        out.append(to_uint8(x.float().cpu().numpy()))
        progress(stop - first, options["images"])
    return np.concatenate(out)
