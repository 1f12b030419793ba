"""A small convolutional classifier of contributors, trained in the workflow: the default feature extractor."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from diffusion_credit.base.files import announce, read_json, read_manifest, replacing, write_json
from diffusion_credit.base.seeds import generator
from diffusion_credit.data.images import to_float

WIDTH = 32
FEATURES = 32
CHUNK = 512  # images at once where no gradient is needed


class Classifier(nn.Module):
    """Three convolutions with halvings, features from a 4x4 grid, one logit a class."""

    def __init__(self, channels: int, height: int, width: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, WIDTH, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.SiLU(),
            nn.AdaptiveAvgPool2d((math.ceil(height / 2), math.ceil(width / 2))),
            nn.Conv2d(WIDTH, 2 * WIDTH, 3, padding=1),
            nn.SiLU(),
            nn.AdaptiveAvgPool2d((4, 4)),
            nn.Flatten(),
            nn.Linear(32 * WIDTH, FEATURES),
            nn.SiLU(),
        )
        self.head = nn.Linear(FEATURES, classes)


def split(owner: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices for training and, a `share` of every class's images (rounded down), for testing."""
    test = np.zeros(len(owner), dtype=bool)
    for label in np.unique(owner):
        own = np.flatnonzero(owner == label)
        test[generator(seed, "split", int(label)).permutation(own)[: int(share * len(own))]] = True
    return np.flatnonzero(~test), np.flatnonzero(test)


def train_classifier(
    pixels: np.ndarray, owner: np.ndarray, classes: int, options: dict[str, Any], seed: int, folder: Path
) -> dict[str, Any]:
    """Train on all but the held-out images, write a folder (safetensors, JSON), return its metrics.

    options: steps, batch_size, learning_rate, held_out_share. pixels: uint8 (images, height, width, channels).
    """
    train, test = split(owner, options["held_out_share"], seed)
    shape = [pixels.shape[3], pixels.shape[1], pixels.shape[2], classes]
    x, y = torch.from_numpy(to_float(pixels)), torch.from_numpy(owner)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed % 2**63)
        model = Classifier(*shape)
    optimizer = torch.optim.AdamW(model.parameters(), options["learning_rate"])
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options["steps"])
    for step in range(options["steps"]):
        chosen = generator(seed, "step", step).choice(train, options["batch_size"])
        loss = nn.functional.cross_entropy(model.head(model.body(x[chosen])), y[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decay.step()
    metrics: dict[str, Any] = {"images_for_training": len(train), "images_held_out": len(test)}
    with torch.inference_mode():
        found = torch.cat([model.head(model.body(chunk)).argmax(1) for chunk in x.split(CHUNK)])
    for name, part in (("accuracy_on_training", train), ("accuracy_held_out", test)):
        metrics[name] = float((found[part] == y[part]).float().mean()) if len(part) else None
    with replacing(folder / "model.safetensors") as temporary:
        save_file(model.state_dict(), temporary)
    write_json(folder / "config.json", {"shape": shape})
    write_json(folder / "metrics.json", metrics)
    announce(folder, ["model.safetensors", "config.json", "metrics.json"])
    return metrics


def load_classifier(folder: Path) -> Classifier:
    """The classifier in a folder that `train_classifier` wrote."""
    read_manifest(folder)
    model = Classifier(*read_json(folder / "config.json")["shape"])
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.eval()
