"""A folder of generated images for each model of a collection."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from diffusion_credit.diffusion import sample
from diffusion_credit.files import announce, versions, write_json
from diffusion_credit.images import ZIP, write_zip
from diffusion_credit.members import SECONDS, entries, fill
from diffusion_credit.models import load_model


def generate(models: Path, collection: Path, options: dict[str, Any], progress: Callable[[str, int, int], None]) -> int:
    """Generate images from every model that the manifest `models` lists; return how many folders were missing.

    options: `generation` (images, solver, steps, batch_size), `seed` of the starting noise, `device`, `code`.
    """
    found = entries(models)
    common = {**options, "versions": versions("torch", "diffusers", "numpy", "pillow")}
    wanted = {name: {**common, "model": digest} for name, (_, digest) in found.items()}

    def make(name: str, folder: Path, _: Path) -> None:
        started = time.monotonic()
        model, config = load_model(found[name][0], options["device"])
        height, width = config["architecture"]["sample_size"]
        pixels = sample(
            model.eval(),
            config["diffusion"],
            options["generation"],
            (config["architecture"]["out_channels"], height, width),
            options["seed"],
            partial(progress, name),
        )
        write_zip(folder / ZIP, pixels)
        write_json(folder / SECONDS, time.monotonic() - started)
        announce(folder, [ZIP], provenance=wanted[name])

    return fill(collection, wanted, make)
