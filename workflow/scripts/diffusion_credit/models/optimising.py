"""Steps of AdamW with warm-up, clipping and an average of the weights, for whatever is trained here.

All randomness of step k is a function of (seed, k), so a run that is cut and resumed from its periodic state
ends with the same weights as an undisturbed one.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from diffusion_credit.base.errors import Stopped, UserError
from diffusion_credit.base.files import replacing
from diffusion_credit.base.seeds import generator
from diffusion_credit.models.checkpoints import parameters

log = logging.getLogger(__name__)

STATE_SECONDS = 20.0  # between two states; more where writing one would take over 2% of the time
STATE_SHARE = 0.02


def learning_rate(options: dict[str, Any], step: int) -> float:
    """Linear warm-up over a share of the steps, then the learning rate or its cosine decay to zero.

    The warm-up is a share and not a count, so that a short fine-tune does reach its learning rate.
    """
    steps, warmup = options["steps"], options["warmup"] * options["steps"]
    rising = min(1.0, (step + 1) / max(warmup, 1))
    decay = 0.5 * (1 + math.cos(math.pi * step / steps)) if options["decay"] == "cosine" else 1.0
    return float(options["learning_rate"]) * rising * decay


def batch_of(images: np.ndarray, seed: int, step: int, size: int) -> np.ndarray:
    """The images of step `step`: (size,) of the given indices, in an order reshuffled at every epoch."""
    positions = np.arange(step * size, (step + 1) * size)
    epochs = positions // len(images)
    order = {epoch: generator(seed, "epoch", int(epoch)).permutation(len(images)) for epoch in np.unique(epochs)}
    return images[[order[epoch][position % len(images)] for epoch, position in zip(epochs, positions, strict=True)]]


def optimizer_of(weights: list[torch.Tensor], options: dict[str, Any]) -> torch.optim.Optimizer:
    """AdamW, with 32 or 8 bits a moment. Raises UserError when bitsandbytes, which keeps 8, is not installed."""
    arguments = {
        "lr": options["learning_rate"],
        "weight_decay": options["weight_decay"],
        "betas": (options["beta1"], 0.999),
    }
    if options["optimizer"] == "adamw":
        return torch.optim.AdamW(weights, fused=True, **arguments)
    try:
        from bitsandbytes.optim.adamw import AdamW8bit
    except ImportError as error:
        raise UserError(f"training.optimizer: found adamw_8bit, which needs bitsandbytes installed ({error})") from None
    optimizer: torch.optim.Optimizer = AdamW8bit(weights, **arguments)
    return optimizer


def optimise(
    model: Any,
    batch: Callable[[int, np.random.Generator], Sequence[torch.Tensor]],
    loss: Callable[..., torch.Tensor],
    options: dict[str, Any],
    seed: int,
    state: Path,
    key: str,
    progress: Callable[[int, int], None] = lambda done, steps: None,
    *,
    ascend: bool = False,
) -> tuple[float, list[list[torch.Tensor]]]:
    """Train `model` in place; it ends with the averaged weights.

    Return the seconds of earlier attempts, and the averaged weights at options["checkpoints"] steps before the end.

    batch: what step k is made from, tensors of as many rows, with the generator that all its draws come from. loss: the
    mean loss of such tensors. options: a `training` section of the config. state: a file that lives while the training
    does and lets it resume. key: digest of all that the result depends on; a state of another key is not resumed.
    ascend: climb the loss instead. Raises UserError when the loss is not finite, and what `progress` raises: at
    Stopped, the state is written first.
    """
    weights: list[torch.Tensor] = [*parameters(model)]
    # The average starts from this training's own weights: one carried over from the model that a short
    # fine-tune starts from would keep most of that model.
    average = [parameter.detach().clone() for parameter in weights]
    optimizer = optimizer_of(weights, options)
    kept: dict[int, list[torch.Tensor]] = {}  # step -> averaged weights
    first, earlier = _restore(state, key, weights, average, kept, optimizer)
    if first:
        log.info("resumed at step %d of %d", first, options["steps"])
    model.train()
    started = time.monotonic()
    due = started + STATE_SECONDS

    def save(step: int) -> float:
        """Saves the state at this step. Returns the time at which to save again."""
        begun = time.monotonic()
        seconds = earlier + time.monotonic() - started
        _save(state, {"key": key, "step": str(step), "seconds": str(seconds)}, weights, average, kept, optimizer)
        ended = time.monotonic()
        return ended + max(STATE_SECONDS, (ended - begun) / STATE_SHARE)

    if options["gradient_checkpointing"]:
        model.enable_gradient_checkpointing()
    marks = checkpoint_steps(options["steps"], options["checkpoints"])
    for step in range(first, options["steps"]):
        optimizer.param_groups[0]["lr"] = learning_rate(options, step)
        tensors = batch(step, generator(seed, "step", step))
        optimizer.zero_grad()
        total = 0.0
        for part in zip(*(tensor.chunk(options["accumulation"]) for tensor in tensors), strict=True):
            each = loss(*part) / options["accumulation"]
            (-each if ascend else each).backward()
            total = total + each.detach()
        if step % 50 == 0 and not math.isfinite(total):
            raise UserError(f"training: found a loss of {float(total)} at step {step}, expected a finite number")
        nn.utils.clip_grad_norm_(weights, options["gradient_clip"])
        optimizer.step()
        with torch.no_grad():
            # A young average forgets faster, so that its starting point is gone after some dozen steps.
            torch._foreach_lerp_(average, weights, 1 - min(options["ema_decay"], (step + 1) / (step + 10)))
        if step + 1 in marks:
            kept[step + 1] = [tensor.clone() for tensor in average]
        try:
            progress(step + 1, options["steps"])
        except Stopped:
            save(step + 1)
            raise
        if time.monotonic() > due and step + 1 < options["steps"]:
            due = save(step + 1)
    with torch.no_grad():
        torch._foreach_copy_(weights, average)
    if not all(bool(torch.isfinite(parameter).all()) for parameter in weights):
        raise UserError("training: found weights that are not finite after the last step, expected finite numbers")
    if options["gradient_checkpointing"]:
        model.disable_gradient_checkpointing()
    model.eval()
    return earlier, [kept[step] for step in marks]


def checkpoint_steps(steps: int, count: int) -> list[int]:
    """The steps after which `count` checkpoints are kept, evenly spaced, before the end."""
    return sorted({steps * at // (count + 1) for at in range(1, count + 1)})


def _save(
    path: Path,
    about: dict[str, str],
    weights: list[torch.Tensor],
    average: list[torch.Tensor],
    kept: dict[int, list[torch.Tensor]],
    optimizer: Any,
) -> None:
    tensors: dict[str, torch.Tensor] = {}
    for i, (weight, mean) in enumerate(zip(weights, average, strict=True)):
        tensors |= {f"{i}.weight": weight.detach(), f"{i}.average": mean}
        # the 8-bit optimiser counts its steps in a plain number, and shares a table among all weights
        tensors |= {f"{i}.state.{name}": torch.as_tensor(v).clone() for name, v in optimizer.state[weight].items()}
        tensors |= {f"{i}.kept.{step}": part[i] for step, part in kept.items()}
    with replacing(path) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, about)


def _restore(
    path: Path,
    key: str,
    weights: list[torch.Tensor],
    average: list[torch.Tensor],
    kept: dict[int, list[torch.Tensor]],
    optimizer: Any,
) -> tuple[int, float]:
    """Continue from `path` when it is a state of this very training; return the step to go on with, seconds so far."""
    try:
        with safe_open(path, framework="pt") as file:
            if file.metadata().get("key") != key:
                return 0, 0.0
            for name in file.keys():  # noqa: SIM118 - a safetensors file is no mapping
                number, kind, *rest = name.split(".")
                weight, tensor = weights[int(number)], file.get_tensor(name)
                if kind == "kept":
                    # a file lists its tensors in any order
                    kept.setdefault(int(rest[0]), [*weights])[int(number)] = tensor.to(weight.device)
                elif rest:
                    counts = tensor.dtype == torch.int64
                    optimizer.state[weight][rest[0]] = int(tensor) if counts else tensor.to(weight.device)
                else:
                    with torch.no_grad():
                        (weight if kind == "weight" else average[int(number)]).copy_(tensor)
            return int(file.metadata()["step"]), float(file.metadata()["seconds"])
    except (FileNotFoundError, SafetensorError):
        return 0, 0.0
