"""One model a subset, in whatever regime: the body of the workflow's training jobs."""

import time
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from diffusion_credit.base.collection import SECONDS, fill
from diffusion_credit.base.files import MANIFEST, digest_of, digest_of_file, versions, write_json
from diffusion_credit.base.plugins import module_of, packages_of, packages_of_training
from diffusion_credit.base.seeds import named_seed
from diffusion_credit.base.tables import Subsets
from diffusion_credit.data.index import Index
from diffusion_credit.models.checkpoints import build, load_model, reinitialise, save_model
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.training import train
from diffusion_credit.models.weights import digests_of


def train_subsets(
    table: Subsets,
    index: Index,
    inputs: Inputs,
    start: Path | None,
    weights: dict[str, Path],
    collection: Path,
    options: dict[str, Any],
    progress: Callable[[str, int, int], None],
) -> int:
    """Make one checkpoint for each row of `table` below `collection`; return how many were not there already.

    start: the checkpoint that every training begins with, or None for a random initialisation. weights: name ->
    manifest of what is pretrained. options: `method` (descent, conditional, ascent or influence), `training` (the
    regime's section), `model` and `diffusion` sections, `seed`, `device`, and `code`, the digest of the code that runs.
    progress: called with (name, step, steps). The empty subset's model is the untrained network.
    """
    device, training, method = options["device"], options["training"], options["method"]
    network = module_of("networks", options["model"]["kind"])
    config = {
        "architecture": network.architecture(options["model"], inputs.shape),
        "diffusion": options["diffusion"],
        "latents": inputs.latents,
    }
    labels = None
    if method == "conditional":
        config["architecture"] = network.conditional(config["architecture"], len(index.contributors))
        labels = torch.from_numpy(index.owner).to(device)
    loaded = None
    if start is not None:
        loaded, found = load_model(start, device, weights)
        config = {key: found[key] for key in config}
        learned = {name: tensor.clone() for name, tensor in network.learned(loaded).items()}
    common = {
        **options,
        **config,
        "start": None if start is None else digest_of_file(start / MANIFEST),
        "inputs": inputs.digest,
        "weights": digests_of(weights),
        "versions": versions("torch", "diffusers", "numpy")
        | packages_of("networks", options["model"]["kind"])
        | packages_of_training(training),
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

    def show(name: str) -> Callable[[int, int], None]:
        return partial(progress, name)

    @cache
    def influence(model: nn.Module) -> Any:  # of the full model, hence the same for every subset
        unlearning = import_module(
            "diffusion_credit.models.unlearning"
        )  # by name: other regimes do not depend on its code
        predict = network.denoiser(model, inputs.conditions, guidance=1)
        seed = named_seed(options["seed"], "influence")
        return unlearning.Influence(model, predict, inputs, config["diffusion"], training, seed, show("curvature"))

    def make(name: str, folder: Path, state: Path) -> None:
        started = time.monotonic()
        earlier, checkpoints = 0.0, list[list[torch.Tensor]]()
        first = named_seed(seeds[name], "initialise")
        model = build(config["architecture"], first, weights).to(device) if loaded is None else loaded
        if loaded is not None:
            network.load(loaded, learned)
        kept = images[name]
        removed = np.setdiff1d(np.arange(len(index.owner)), kept)
        if not len(kept):
            reinitialise(model, config["architecture"], first)
        elif method == "influence":
            influence(model).forget(removed, len(kept), show(name))
        elif method in ("descent", "conditional") or len(removed):
            earlier, checkpoints = train(
                model,
                network.denoiser(model, inputs.conditions, guidance=1),
                inputs,
                removed if method == "ascent" else kept,
                config["diffusion"],
                training,
                seeds[name],
                state,
                digest_of(wanted[name]),
                show(name),
                ascend=method == "ascent",
                labels=labels,
            )
        write_json(folder / SECONDS, earlier + time.monotonic() - started)
        save_model(folder, model, config, wanted[name], checkpoints)

    return fill(collection, wanted, make)
