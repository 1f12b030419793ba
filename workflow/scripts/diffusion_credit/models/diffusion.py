"""The diffusion process: how images are noised, what the network predicts, and how images are sampled.

options (config key `diffusion`): timesteps, schedule; of `flow` times and shift, of all others prediction, beta_start
and beta_end. Flow matching: Lipman et al., arXiv 2210.02747; Esser et al., arXiv 2403.03206, sections 2 and 3.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from diffusers.schedulers.scheduling_pndm import PNDMScheduler

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.seeds import noise
from diffusion_credit.data.images import to_uint8
from diffusion_credit.models.options import FLOW

SOLVERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "dpm_solver++": (DPMSolverMultistepScheduler, {}),
    # diffusers clips the predicted image by default, which makes scores fall as the steps rise
    "ddim": (DDIMScheduler, {"clip_sample": False, "timestep_spacing": "trailing"}),
    "pndm": (PNDMScheduler, {"skip_prk_steps": True, "steps_offset": 1}),  # as Stable Diffusion was published with
    "flow_euler": (FlowMatchEulerDiscreteScheduler, {}),
}
Drawn = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # noised images, what the network is told, its target


def schedule(options: dict[str, Any]) -> dict[str, Any]:
    """The arguments that every diffusers scheduler of one process with variances shares."""
    return {
        "num_train_timesteps": options["timesteps"],
        "beta_schedule": options["schedule"],
        "beta_start": options["beta_start"],
        "beta_end": options["beta_end"],
        "prediction_type": options["prediction"],
    }


def shifted(levels: np.ndarray, shift: float) -> np.ndarray:
    """Noise levels between 0 and 1, moved towards 1 where shift > 1 (arXiv 2403.03206, equation 23)."""
    return shift * levels / (1 + (shift - 1) * levels)


class Process:
    """Noising and the training target."""

    def __init__(self, options: dict[str, Any], device: str) -> None:
        self.timesteps, flow = int(options["timesteps"]), options["schedule"] == FLOW
        self.prediction = FLOW if flow else options["prediction"]
        self.logit_normal = flow and options["times"] == "logit_normal"
        if flow:
            levels = shifted(np.arange(1, self.timesteps + 1) / self.timesteps, options["shift"])
            self.noise = torch.from_numpy(levels.astype(np.float32)).to(device)
            self.signal, self.told = 1 - self.noise, self.noise * self.timesteps
        else:
            cumulative = DDPMScheduler(**schedule(options)).alphas_cumprod.to(device)
            self.signal, self.noise = cumulative.sqrt(), (1 - cumulative).sqrt()
            self.told = torch.arange(self.timesteps, device=device)

    def noised(self, images: torch.Tensor, noise: torch.Tensor, t: torch.Tensor) -> Drawn:
        """The noised images at timesteps t (batch,), the times that a network is told, and what it should predict."""
        a, b = self.signal[t, None, None, None], self.noise[t, None, None, None]
        target = {
            "epsilon": lambda: noise,
            "v_prediction": lambda: a * noise - b * images,
            "sample": lambda: images,
            FLOW: lambda: noise - images,
        }
        return a * images + b * noise, self.told[t], target[self.prediction]()

    def bound_weights(self, t: torch.Tensor) -> torch.Tensor:
        """What a squared error of the prediction at timesteps t (times,) adds to the negative ELBO, in nats: (times,).

        Half the loss of signal-to-noise ratio since the timestep before, for an error of the predicted image (Kingma et
        al., arXiv 2107.00630, equation 14). The first timestep has none before it, and its weight is 0.
        """
        ratio = (self.signal.double() / self.noise.double()) ** 2
        lost = 0.5 * (ratio[(t - 1).clamp(min=0)] - ratio[t])
        a, b = self.signal.double()[t], self.noise.double()[t]
        image = {"epsilon": b / a, "v_prediction": b, "sample": torch.ones_like(b), FLOW: b}[self.prediction]
        return torch.where(lost > 0, lost * image**2, 0).float()

    def draw(self, images: torch.Tensor, rng: np.random.Generator) -> Drawn:
        """What `noised` gives, with timesteps and noise drawn from rng."""
        return self.noised(images, *self.drawn(images, rng))

    def drawn(self, images: torch.Tensor, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Noise for images (batch, ...), and timesteps (batch,)."""
        if self.logit_normal:
            share = 1 / (1 + np.exp(-rng.standard_normal(len(images))))
            times = np.minimum(share * self.timesteps, self.timesteps - 1).astype(np.int64)
        else:
            times = rng.integers(self.timesteps, size=len(images))
        noise = torch.from_numpy(rng.standard_normal(tuple(images.shape), dtype=np.float32))
        return noise.to(images.device), torch.from_numpy(times).to(images.device)


def scheduler_of(diffusion: dict[str, Any], solver: str, steps: int, levels: np.ndarray | None, device: str) -> Any:
    """A scheduler of diffusers with its timesteps. levels: of noise, (steps,) falling, of flow matching alone.

    Without levels these are even, and shifted as in training.
    """
    kind, arguments = SOLVERS[solver]
    if diffusion["schedule"] != FLOW:
        scheduler = kind(**schedule(diffusion), **arguments)
        scheduler.set_timesteps(steps, device=device)
        return scheduler
    if levels is None:
        levels = shifted(np.linspace(1, 1 / steps, steps), diffusion["shift"])
    scheduler = kind(num_train_timesteps=diffusion["timesteps"], **arguments)
    scheduler.set_timesteps(sigmas=levels.tolist(), device=device)
    return scheduler


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
    labels: torch.Tensor | None = None,
    levels: np.ndarray | None = None,
) -> np.ndarray:
    """Generate options["images"] images from number `first` on: uint8 (images, height, width, channels).

    predict: a network's prediction from noised tensors and a timestep. decode: from its tensors to images in [-1, 1].
    options: images, solver, steps, batch_size (images at once), precision. shape: (channels, height, width) of a
    tensor. labels: what the network is told of image 0 and all that follow. levels: as `scheduler_of` takes them.
    Image i starts from the same noise for every model. Raises UserError when a pixel is not finite.
    """
    out = []
    last = first + options["images"]
    for start in range(first, last, options["batch_size"]):
        stop = min(start + options["batch_size"], last)
        scheduler = scheduler_of(diffusion, options["solver"], options["steps"], levels, device)
        told = () if labels is None else (labels[start:stop],)
        x = torch.from_numpy(noise(seed, start, stop, shape)).to(device)
        with torch.autocast(device, torch.bfloat16, enabled=options["precision"] == "bf16"):
            for t in scheduler.timesteps:
                x = scheduler.step(predict(x, t, *told).float(), t, x, return_dict=False)[0]
                progress(start - first, options["images"])
        x = decode(x)
        if not bool(torch.isfinite(x).all()):
            raise UserError("sampling: found pixels that are not finite, expected finite numbers")
        out.append(to_uint8(x.float().cpu().numpy()))
        progress(stop - first, options["images"])
    return np.concatenate(out)
