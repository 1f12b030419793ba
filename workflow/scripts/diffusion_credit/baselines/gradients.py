"""Gradients of one number of the network's output by its weights, for single images, summed over timesteps.

Sources: Zheng et al., D-TRAK, arXiv 2311.00500, section 3 and table 1 (output functions, timesteps); Georgiev et al.,
The Journey, Not the Destination, arXiv 2312.06205 (gradients along the sampling path). Per-image gradients by
torch.func: vmap of grad.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.diffusion import Process, scheduler_of

COPIES = 3  # of an image's gradient at the same time: the last, their sum, and what is being added
MOST = 64  # images at once; more gain nothing

# Of a network's prediction and its training target, (timesteps, numbers) each, to one number for each timestep
OUTPUTS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "loss": lambda predicted, target: (predicted - target).square().mean(1),
    "squared_l2": lambda predicted, target: predicted.square().mean(1),
    "mean": lambda predicted, target: predicted.mean(1),
    "l1": lambda predicted, target: predicted.abs().sum(1),
    "l2": lambda predicted, target: predicted.square().sum(1).sqrt(),
    "linf": lambda predicted, target: predicted.abs().amax(1),
}


def timesteps(of: int, count: int, spacing: str) -> list[int]:
    """`count` of the process's timesteps: evenly spaced from 0, or the cumulative first ones (lowest noise)."""
    return [at * of // count for at in range(count)] if spacing == "even" else list(range(count))


def images_at_once(weights: int, memory: float) -> int:
    """How many images' gradients fit into `memory` GiB. Raises UserError when not even one does."""
    each = COPIES * 4 * weights / 2**30
    if each > memory:
        raise UserError(
            f"config: gradients.memory: found {memory} GiB, expected at least {each:.2g} for one image's gradient by"
            f" {weights:,} weights"
        )
    return min(MOST, int(memory / each))


class PerImage:
    """The gradients of one network, by its learned weights."""

    def __init__(
        self, model: nn.Module, predict: Callable[..., torch.Tensor], diffusion: dict[str, Any], output: str
    ) -> None:
        """predict: the model's prediction, as `Network.denoiser` gives it. output: a name of OUTPUTS."""
        self.predict = predict
        self.weights = {f"model.{name}": p.detach() for name, p in model.named_parameters() if p.requires_grad}
        self.count = sum(weight.numel() for weight in self.weights.values())
        self.process = Process(diffusion, str(next(model.parameters()).device))
        call, number = _Call(model, predict), OUTPUTS[output]

        def summed(
            weights: dict[str, torch.Tensor],
            noised: torch.Tensor,
            times: torch.Tensor,
            target: torch.Tensor,
            *labels: Any,
        ) -> tuple[torch.Tensor, torch.Tensor]:
            told = [label.expand(len(noised)) for label in labels]
            predicted, target = functional_call(call, weights, (noised, times, *told)).flatten(1), target.flatten(1)
            return number(predicted, target).sum(), (predicted - target).square().mean(1).sqrt().sum()

        self._gradient = grad(summed, has_aux=True)

    def __call__(
        self,
        clean: torch.Tensor,
        noise: torch.Tensor,
        at: list[int],
        together: int,
        labels: torch.Tensor | None = None,
    ) -> tuple[list[torch.Tensor], torch.Tensor]:
        """The gradient of each image, a block (images, weights of one tensor) for each of the network's tensors.

        clean: (images, channels, height, width), or with a clean image for each timestep after the first axis. noise:
        (images, timesteps, channels, height, width). at: the timesteps. together: timesteps in one pass. labels:
        (images,) the rows of their texts, where there are any. Also returned: (images,) the root of the mean squared
        error of the prediction, averaged over timesteps.
        """
        blocks: list[torch.Tensor] = []
        error = torch.zeros(len(clean), device=clean.device)
        for start in range(0, len(at), together):
            t = torch.tensor(at[start : start + together], device=clean.device)
            part = noise[:, start : start + together]
            x = clean[:, start : start + together] if clean.dim() == noise.dim() else clean[:, None].expand_as(part)
            drawn = self.process.noised(x.flatten(0, 1), part.flatten(0, 1), t.repeat(len(clean)))
            each = [tensor.unflatten(0, part.shape[:2]) for tensor in drawn] + ([] if labels is None else [labels])
            gradients = vmap(self._gradient, in_dims=(None, *[0 for _ in each]))
            with sdpa_kernel(SDPBackend.MATH):  # the faster ways of attention know no vmap
                found, errors = gradients(self.weights, *each)
            fresh = [block.flatten(1) for block in found.values()]
            blocks = [total.add_(block) for total, block in zip(blocks, fresh, strict=True)] if blocks else fresh
            error += errors
        return blocks, error / len(at)


class _Call(nn.Module):
    """A network behind the function that calls it, so that its weights can be exchanged for the call."""

    def __init__(self, model: nn.Module, predict: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.model, self.predict = model, predict

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.predict(*inputs)


@torch.inference_mode()
def path(
    predict: Callable[..., torch.Tensor],
    diffusion: dict[str, Any],
    steps: int,
    start: torch.Tensor,
    *labels: torch.Tensor,
) -> tuple[list[int], torch.Tensor]:
    """The timesteps of a DDIM path from the noise `start` (images, ...), and the clean images (images, steps, ...)

    that the network predicts along it.
    """
    scheduler = scheduler_of(diffusion, "ddim", steps, None, str(start.device))
    x, clean = start, []
    for t in scheduler.timesteps:
        step = scheduler.step(predict(x, t, *labels), t, x)
        clean.append(step.pred_original_sample)
        x = step.prev_sample
    return scheduler.timesteps.tolist(), torch.stack(clean, dim=1)
