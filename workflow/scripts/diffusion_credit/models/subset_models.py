"""One model a subset, in whatever regime: the body of the workflow's training jobs."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffusion_credit.base.collection import SECONDS, fill
from diffusion_credit.base.files import MANIFEST, digest_of, digest_of_file, versions, write_json
from diffusion_credit.base.plugins import module_of, packages_of, packages_of_training
from diffusion_credit.base.seeds import named_seed
from diffusion_credit.base.tables import Subsets
from diffusion_credit.data.index import Index
from diffusion_credit.models.checkpoints import build, load_model, read_config, reinitialise, save_model
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.regimes import CONDITIONAL, Regime
from diffusion_credit.models.task import Job, Task, Trained
from diffusion_credit.models.weights import digests_of


def train_subsets(
    table: Subsets,
    index: Index,
    inputs: Inputs,
    start: Path | None,
    alike: Path | None,
    weights: dict[str, Path],
    collection: Path,
    options: dict[str, Any],
    progress: Callable[[str, int, int], None],
) -> int:
    """Make one checkpoint for each row of `table` below `collection`; return how many were not there already.

    start: the checkpoint that every training begins with, or None for a random initialisation, which has the
    architecture of the checkpoint `alike`, or else that of the section `model`. weights: name ->
    manifest of what is pretrained. options: `regime`, its name; `training`, its section; `model` and `diffusion`
    sections; `seed`, `device`, and `code`, the digest of the code that runs. progress: called with (name, step, steps).
    The empty subset's model is the untrained network.
    """
    device, training = options["device"], options["training"]
    regime: Regime = module_of("regimes", options["regime"])
    network = module_of("networks", options["model"]["kind"])
    loaded = None
    if start is not None:
        loaded, found = load_model(start, device, weights)
        architecture = found["architecture"]
        learned = {name: tensor.clone() for name, tensor in network.learned(loaded).items()}
    elif alike is not None:
        architecture = read_config(alike)["architecture"]
    else:
        architecture = network.architecture(options["model"], inputs.shape)
    if options["regime"] == CONDITIONAL:
        architecture = network.conditional(architecture, len(index.contributors))
    config = {"architecture": architecture, "diffusion": options["diffusion"], "latents": inputs.latents}
    common = {
        **options,
        **config,
        "start": None if start is None else digest_of_file(start / MANIFEST),
        "weights": digests_of(weights),
        "versions": versions("torch", "diffusers", "numpy")
        | packages_of("networks", options["model"]["kind"])
        | packages_of_training(training),
    }
    seeds = dict(zip(table.names, table.seed, strict=True))
    members = dict(zip(table.names, table.members, strict=True))
    images = {name: index.images_of(row) for name, row in members.items()}
    wanted = {
        name: {
            **common,
            "seed": seeds[name],
            "members": [index.contributors[i] for i in np.flatnonzero(members[name])],
            "images": len(images[name]),
            "inputs": inputs.digest_of(images[name]) if regime.OF_MEMBERS else _of_all(inputs, images[name]),
        }
        for name in table.names
    }
    owner = torch.from_numpy(index.owner).to(device)
    job = Job(network, architecture, inputs, owner, config["diffusion"], training, options["seed"], progress)

    def make(name: str, folder: Path, state: Path) -> None:
        started = time.monotonic()
        first = named_seed(seeds[name], "initialise")
        model = build(config["architecture"], first, weights).to(device) if loaded is None else loaded
        if loaded is not None:
            network.load(loaded, learned)
        kept = images[name]
        removed = np.setdiff1d(np.arange(len(index.owner)), kept)
        trained = Trained()
        if len(kept):
            trained = regime.fit(Task(job, name, model, kept, removed, seeds[name], state, digest_of(wanted[name])))
        else:
            reinitialise(model, config["architecture"], first)
        write_json(folder / SECONDS, trained.seconds + time.monotonic() - started)
        save_model(folder, model, config, wanted[name], trained.checkpoints)

    return fill(collection, wanted, make)


def _of_all(inputs: Inputs, kept: np.ndarray) -> str:
    """A digest of everybody's images, and of which of them are kept."""
    return digest_of([inputs.digest, kept.tolist()])
