"""What a regime is given to make one subset's model, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.networks import Network
from diffusion_credit.models.training import train


@dataclass(frozen=True)
class Trained:
    """seconds: of attempts before this one. checkpoints: learned weights from along the training."""

    seconds: float = 0.0
    checkpoints: list[list[torch.Tensor]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Job:
    """What the trainings of one job share.

    owner: (images of `inputs`,) the number of each image's contributor. diffusion: that section of the config.
    options: the regime's section. seed: the study's. progress: called with (what, step, steps).
    kept: what a regime keeps from one subset to the next.
    """

    network: Network
    architecture: dict[str, Any]
    inputs: Inputs
    owner: torch.Tensor
    diffusion: dict[str, Any]
    options: dict[str, Any]
    seed: int
    progress: Callable[[str, int, int], None]
    kept: dict[str, Any] = field(default_factory=dict)

    def predict(self, model: nn.Module) -> Callable[..., torch.Tensor]:
        """The model's prediction, as `Network.denoiser` gives it."""
        return self.network.denoiser(model, self.architecture, self.inputs.conditions, guidance=1)


@dataclass(frozen=True, eq=False)
class Task:
    """The making of one subset's model.

    model: as it begins, on the inputs' device. kept, removed: indices of the subset's images and of all others. state:
    a file in which a training keeps what lets it resume. key: digest of all that the model depends on.
    """

    job: Job
    name: str
    model: nn.Module
    kept: np.ndarray
    removed: np.ndarray
    seed: int
    state: Path
    key: str

    def show(self, step: int, steps: int) -> None:
        """Tells how far it is."""
        self.job.progress(self.name, step, steps)

    def train_on(self, images: np.ndarray, *, ascend: bool = False, labels: torch.Tensor | None = None) -> Trained:
        """Train `model` on some images, as the regime's section says. ascend, labels: see `train`."""
        job, predict = self.job, self.job.predict(self.model)
        seconds, checkpoints = train(
            self.model,
            predict,
            job.inputs,
            images,
            job.diffusion,
            job.options,
            self.seed,
            self.state,
            self.key,
            self.show,
            ascend=ascend,
            labels=labels,
        )
        return Trained(seconds, checkpoints)
