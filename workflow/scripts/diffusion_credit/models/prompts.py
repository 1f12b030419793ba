"""The texts that images are generated for: which image has which, their embeddings, and those that name somebody."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import announce, digest_of, digest_of_file, read_manifest
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
    _check_lengths(prompts, encoder)
    if len(prompts) > images:
        log.warning("Warning: %d prompts for %d images: the others are not used", len(prompts), images)
    chosen = [prompts[at] for at in batch_of(np.arange(len(prompts)), seed, 0, images)]
    write_texts(chosen, encoder, size, folder)
    write_csv(folder / PROMPTS, ["image", "prompt"], list(enumerate(chosen)))
    announce(folder, [TEXTS, PROMPTS], provenance=about)


def _check_lengths(prompts: list[str], encoder: Encoder) -> None:
    for prompt in prompts:
        if (found := encoder.tokens(prompt)) > encoder.most:
            raise UserError(
                f"config: model.prompt or generation.prompts: found {found} tokens, expected at most {encoder.most},"
                f" in {prompt[:60]!r}"
            )


def write_told(
    captions: list[str],
    owner: np.ndarray,
    contributors: list[str],
    prompts: list[str],
    encoder: Encoder,
    size: tuple[int, int],
    folder: Path,
    **about: Any,
) -> None:
    """Embed the texts that name contributors, for a model that is told whose each image is.

    captions: (images,) of the training images. owner: (images,) the number of each one's contributor. prompts: (drawn,)
    of the generated images. The rows are those of the training images, then for every contributor those of the
    generated images, and last these without anybody's name. A name comes first, because a long text is cut at its end.

    Raises UserError on names that the base's tokenizer does not tell apart, and on a prompt that becomes too long.
    """
    read: dict[tuple[int, ...], str] = {}
    for name in contributors:
        other = read.setdefault(tuple(encoder.tokenizer(name).input_ids), name)
        if other != name:
            raise UserError(
                f"found the contributors {other!r} and {name!r}, expected names that the base's tokenizer tells apart,"
                " because the regime conditional tells it the names"
            )
    drawn = [_naming(name, prompt) for name in contributors for prompt in prompts]
    _check_lengths(drawn, encoder)
    told = [_naming(contributors[number], text) for number, text in zip(owner.tolist(), captions, strict=True)]
    write_texts([*told, *drawn, *prompts], encoder, size, folder)
    announce(folder, [TEXTS], provenance=about)


def _naming(contributor: str, text: str) -> str:
    return f"{contributor}: {text}"


def with_names(inputs: Inputs, told: Path | None) -> Inputs:
    """The inputs with texts that name each training image's contributor. told: the manifest of `write_told`'s."""
    if told is None:
        return inputs
    conditions, labels = read_prompts(told)
    assert labels is not None
    digest = digest_of([inputs.digest, digest_of_file(told)])
    return replace(inputs, conditions=conditions, labels=labels[: len(inputs.images)], digest=digest)


def read_names(told: Path, contributors: int, drawn: int) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """What a network is told of texts, and the rows (contributors + 1, drawn) of the generated images' texts."""
    conditions, labels = read_prompts(told)
    assert labels is not None
    return conditions, labels[-(contributors + 1) * drawn :].reshape(contributors + 1, drawn)


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
