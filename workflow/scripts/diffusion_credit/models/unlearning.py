"""Influence unlearning: one Newton step away from the images that are left out, with a Fisher matrix for the Hessian.

Source: Koh and Liang, arXiv 1703.04730 (influence); Singh and Alistarh, WoodFisher, arXiv 2004.14340 (the inverse by
the Woodbury identity, here in closed form); Jia et al., arXiv 2304.04934 (its use for unlearning).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from diffusion_credit.base.seeds import generator
from diffusion_credit.models.checkpoints import parameters
from diffusion_credit.models.diffusion import Process
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.optimising import batch_of
from diffusion_credit.models.training import loss_of


class Influence:
    """The full model's curvature, made once, and the steps that forget.

    predict: the model's prediction from noised tensors and timesteps. options: a `regimes.influence` section of the
    config: gradients, batch_size, draws, damping. seed: of all draws. Keeps gradients x weights numbers in memory.
    """

    def __init__(
        self,
        model: nn.Module,
        predict: Callable[..., torch.Tensor],
        inputs: Inputs,
        diffusion: dict[str, Any],
        options: dict[str, Any],
        seed: int,
        progress: Callable[[int, int], None] = lambda done, gradients: None,
    ) -> None:
        self.model, self.predict, self.inputs, self.options, self.seed = model, predict, inputs, options, seed
        self.process = Process(diffusion, str(inputs.images.device))
        self.start = _flat(parameters(model))
        everything, size = np.arange(len(inputs.images)), options["batch_size"]
        self.gradients = torch.empty(options["gradients"], len(self.start), device=self.start.device)
        for step, row in enumerate(self.gradients):
            chosen = batch_of(everything, seed, step, size)
            # the mean of `size` gradients varies `size` times less than one of them, whose variance is meant
            row.copy_(self._gradient(chosen, generator(seed, "fisher", step)) * size**0.5)
            progress(step + 1, options["gradients"])

    def forget(
        self,
        removed: np.ndarray,
        kept: int,
        progress: Callable[[int, int], None] = lambda done, gradients: None,
    ) -> None:
        """Set the model's weights to an estimate of those of a training without the images `removed` (indices).

        From the optimum of everyone's mean loss, one Newton step for the mean loss of the `kept` images is the damped
        inverse Hessian times the sum of the removed images' gradients over `kept`.
        """
        total = torch.zeros_like(self.start)
        draws, size = self.options["draws"], self.options["batch_size"]
        steps = [(draw, start) for draw in range(draws) for start in range(0, len(removed), size)]
        for done, (draw, start) in enumerate(steps, start=1):
            chosen = removed[start : start + size]
            total += self._gradient(chosen, generator(self.seed, "removed", draw, start)) * (len(chosen) / draws)
            progress(done, len(steps))
        self._set(self.start + inverse_fisher(self.gradients, self.options["damping"], total / kept))

    def _gradient(self, images: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
        """The gradient at the full model of the mean loss of some images."""
        self._set(self.start)
        x = self.inputs.batch(images, np.zeros(len(images), dtype=bool))
        labels = () if self.inputs.labels is None else (self.inputs.labels[images],)
        loss = loss_of(self.predict, "float32", *self.process.draw(x, rng), *labels)
        return _flat(torch.autograd.grad(loss, parameters(self.model)))

    def _set(self, flat: torch.Tensor) -> None:
        nn.utils.vector_to_parameters(flat, parameters(self.model))


def inverse_fisher(gradients: torch.Tensor, damping: float, vector: torch.Tensor) -> torch.Tensor:
    """(damping I + mean of g gᵀ)⁻¹ vector, for gradients (m, d) and a vector (d,), by the Woodbury identity.

    The (m, m) system is solved in float64.
    """
    m = len(gradients)
    kernel = (gradients @ gradients.T).double() + m * damping * torch.eye(m, device=gradients.device)
    solved = torch.linalg.solve(kernel, (gradients @ vector).double()).to(gradients.dtype)
    return (vector - gradients.T @ solved) / damping


def _flat(tensors: Any) -> torch.Tensor:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
