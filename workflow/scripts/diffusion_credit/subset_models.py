"""One model a subset, in whatever regime: the body of the workflow's training jobs."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffusion_credit.files import MANIFEST, digest_of, digest_of_file, versions, write_json
from diffusion_credit.images import to_float
from diffusion_credit.index import Index
from diffusion_credit.members import SECONDS, fill
from diffusion_credit.models import architecture, build, load_model, reinitialise, save_model
from diffusion_credit.seeds import named_seed
from diffusion_credit.tables import Subsets
from diffusion_credit.training import train


def train_subsets(
    table: Subsets,
    index: Index,
    pixels: np.ndarray,
    start: Path | None,
    collection: Path,
    options: dict[str, Any],
    progress: Callable[[str, int, int], None],
) -> int:
    """Make one checkpoint for each row of `table` below `collection`; return how many were not there already.

    start: the checkpoint that every training begins with, or None for a random initialisation. options:
    `training`, `model` and `diffusion` sections, `device`, and `code`, the digest of the code that runs.
    progress: called with (name, step, steps). The empty subset's model is the untrained network.
    """
    device = options["device"]
    config = {"architecture": architecture(options["model"], index.shape), "diffusion": options["diffusion"]}
    loaded = None
    if start is not None:
        loaded, config = load_model(start, device)
        config = {key: config[key] for key in ("architecture", "diffusion")}
        weights = {name: tensor.clone() for name, tensor in loaded.state_dict().items()}
    common = {
        **options,
        **config,
        "start": None if start is None else digest_of_file(start / MANIFEST),
        "pixels": index.pixels_digest,
        "versions": versions("torch", "diffusers", "numpy"),
    }
    images = {name: index.images_of(row) for name, row in zip(table.names, table.members, strict=True)}
    seeds = dict(zip(table.names, table.seed, strict=True))
    wanted = {
        name: {
            **common,
            "seed": seeds[name],
            "images": len(images[name]),
            "image_list": digest_of(images[name].tolist()),
        }
        for name in table.names
    }
    resident = torch.from_numpy(to_float(pixels)).to(device)

    def make(name: str, folder: Path, state: Path) -> None:
        started = time.monotonic()
        earlier = 0.0
        first = named_seed(seeds[name], "initialise")
        model = build(config["architecture"], first).to(device) if loaded is None else loaded
        if loaded is not None and len(images[name]):
            loaded.load_state_dict(weights)
        elif loaded is not None:
            reinitialise(loaded, first)
        if len(images[name]):
            earlier = train(
                model,
                resident,
                images[name],
                config["diffusion"],
                options["training"],
                seeds[name],
                state,
                digest_of(wanted[name]),
                partial(progress, name),
            )
        write_json(folder / SECONDS, earlier + time.monotonic() - started)
        save_model(folder, model, config, wanted[name])

    return fill(collection, wanted, make)
