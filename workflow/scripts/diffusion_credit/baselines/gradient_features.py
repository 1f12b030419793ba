"""Projected gradients of training images and of generated ones, made once for all the scores that use them."""

import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from diffusion_credit.base.collection import announce_entry, fill
from diffusion_credit.base.files import replacing
from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.seeds import generator, named_seed, noise
from diffusion_credit.baselines.gradient_arrays import GENERATED, PATH, entry_name
from diffusion_credit.baselines.gradients import PerImage, images_at_once, path, timesteps
from diffusion_credit.baselines.projection import project
from diffusion_credit.measuring.features import FEATURES
from diffusion_credit.models.checkpoints import load_model
from diffusion_credit.models.inputs import Inputs, provenance

ROWS = 128  # images of one entry: what a job that is cut may have to make again

# digest, number, what loads them as a network takes them, the rows of their texts
Images = tuple[str, int, Callable[[], torch.Tensor], torch.Tensor | None]


def parts_of(models: Iterable[str], sets: dict[str, Images], with_path: bool) -> dict[str, tuple[str, str, range]]:
    """Entry -> model, set, and its images: those of the path are numbered as the generated ones that it leads to."""
    numbers = {name: number for name, (_, number, _, _) in sets.items()}
    if with_path:
        numbers[PATH] = numbers[GENERATED]
    return {
        entry_name(model, name, at): (model, name, range(start, min(start + ROWS, number)))
        for model in models
        for name, number in numbers.items()
        for at, start in enumerate(range(0, number, ROWS))
    }


def compute(
    models: dict[str, tuple[Path, str, str]],
    sets: dict[str, Images],
    inputs: Inputs,
    weights: dict[str, Path],
    collection: Path,
    options: dict[str, Any],
    progress: Callable[[str, int, int], None],
) -> int:
    """Write features (images, dimension) and errors (images,) of every model, set, and ROWS images; return how many.

    models: name -> folder of a checkpoint, file of its weights, digest of its manifest. sets: `data`, `generated`, and
    any others; `path` is made of the generated ones' starting noise where options["gradients"]["path"] says so.
    inputs: for the texts. weights: name -> manifest of what is pretrained. options: sections `gradients` (output,
    timesteps, spacing, projection, path, memory, batch_size) and `diffusion`, the kind of `network`, `seed`, `device`,
    `code`.
    """
    asked, device, seed = options["gradients"], options["device"], options["seed"]
    network = module_of("networks", options["network"])
    common = provenance(options, inputs, weights)
    parts = parts_of(models, sets, asked["path"])
    wanted = {}
    for entry, (model, name, _) in parts.items():
        _, file, digest = models[model]
        images = sets[_origin(name)][0]
        wanted[entry] = {**common, "checkpoint": file, "model": digest, "set": name, "images": images}

    @cache
    def per_image(model: str) -> PerImage:
        per_image.cache_clear()  # one network at a time
        folder, file, _ = models[model]
        loaded, config = load_model(folder, device, weights, file)
        predict = network.denoiser(loaded.eval(), config["architecture"], inputs.conditions, guidance=1)
        return PerImage(loaded, predict, options["diffusion"], asked["output"])

    @cache
    def images_of(name: str) -> torch.Tensor:
        return sets[name][2]()

    def make(entry: str, folder: Path, _: Path) -> None:
        started = time.monotonic()
        model, name, rows = parts[entry]
        found = per_image(model)
        size = images_at_once(found.count, asked["memory"])
        at = timesteps(found.process.timesteps, asked["timesteps"], asked["spacing"])
        features, errors = [], []
        for start in range(rows.start, rows.stop, size):
            chosen = range(start, min(start + size, rows.stop))
            told = sets[_origin(name)][3]
            labels = None if told is None else told[chosen.start : chosen.stop]
            if name == PATH:
                first = torch.from_numpy(noise(seed, chosen.start, chosen.stop, inputs.shape))
                rows_of = () if labels is None else (labels,)
                at, clean = path(found.predict, options["diffusion"], asked["timesteps"], first.to(device), *rows_of)
            else:
                clean = images_of(name)[chosen.start : chosen.stop].to(device)
            drawn = [_noise(seed, name, image, (len(at), *inputs.shape)) for image in chosen]
            together = max(1, asked["batch_size"] // len(chosen))
            blocks, error = found(clean, torch.from_numpy(np.stack(drawn)).to(device), at, together, labels)
            features.append(project(blocks, asked["projection"], named_seed(seed, "projection")).cpu().numpy())
            errors.append(error.cpu().numpy())
            progress(entry, chosen.stop - rows.start, len(rows))
        arrays = {"features": np.concatenate(features), "error": np.concatenate(errors)}
        with replacing(folder / FEATURES) as temporary:
            save_file(arrays, temporary)
        announce_entry(folder, [FEATURES], wanted[entry], started)

    return fill(collection, wanted, make)


def _origin(name: str) -> str:
    """The set whose images a set is of: the path leads to the generated ones."""
    return GENERATED if name == PATH else name


def _noise(seed: int, name: str, image: int, shape: tuple[int, ...]) -> np.ndarray:
    """The noise of an image of a set, one for each timestep. It is a function of the image's number alone."""
    return generator(seed, "gradient", name, image).standard_normal(shape, dtype=np.float32)
