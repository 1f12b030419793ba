"""The texts that images are generated for: which image has which, and their embeddings."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import announce, read_manifest
from diffusion_credit.base.tables import write_csv
from diffusion_credit.data.texts import read_text
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.optimising import batch_of
from diffusion_credit.models.texts import TEXTS, Encoder, read_texts, write_texts

log = logging.getLogger(__name__)

PROMPTS = "prompts.csv"


def prompts_of(options: dict[str, Any], file: Path | None) -> list[str]:
    """The texts to generate for. options: the sections `model` and `generation`. file: with one text on each line.

    Raises UserError on a file that is no text in UTF-8, and on an empty text.
    """
    given, key = options["generation"]["prompts"], "config: generation.prompts"
    if given is None:
        return [options["model"]["prompt"]]
    if file is not None:
        key, given = str(file), read_text(file).rstrip().splitlines()
    given = [text.strip() for text in given]
    if not given or "" in given:
        at = f"line {given.index('') + 1} without a text" if given else "no text"
        raise UserError(f"{key}: found {at}, expected one text on each line")
    return given


def write_prompts(
    prompts: list[str], encoder: Encoder, size: tuple[int, int], images: int, seed: int, folder: Path, **about: Any
) -> None:
    """Give each of so many generated images one of the prompts, embed these, and say which in prompts.csv.

    Raises UserError on a prompt of more tokens than the base reads.
    """
    for prompt in prompts:
        if (found := encoder.tokens(prompt)) > encoder.most:
            raise UserError(
                f"config: model.prompt or generation.prompts: found {found} tokens, expected at most {encoder.most},"
                f" in {prompt[:60]!r}"
            )
    if len(prompts) > images:
        log.warning("Warning: %d prompts for %d images: the others are not used", len(prompts), images)
    chosen = [prompts[at] for at in batch_of(np.arange(len(prompts)), seed, 0, images)]
    write_texts(chosen, encoder, size, folder)
    write_csv(folder / PROMPTS, ["image", "prompt"], list(enumerate(chosen)))
    announce(folder, [TEXTS, PROMPTS], provenance=about)


def with_prompts(inputs: Inputs, prompts: Path | None) -> tuple[Inputs, torch.Tensor | None]:
    """The inputs, told the prompts as well as the training images' texts; and the rows of the generated images."""
    conditions, labels = read_prompts(prompts)
    if labels is None:
        return inputs, None
    rows = len(next(iter(conditions.values())))
    both = {name: torch.cat([inputs.conditions[name], tensor]) for name, tensor in conditions.items()}
    first = len(next(iter(both.values()))) - rows
    return replace(inputs, conditions=both), first + labels


def read_prompts(manifest: Path | None) -> tuple[dict[str, torch.Tensor], torch.Tensor | None]:
    """What the generated images' network is told, and which row each image; nothing without prompts."""
    if manifest is None:
        return {}, None
    read_manifest(manifest.parent)
    return read_texts(manifest.parent)
