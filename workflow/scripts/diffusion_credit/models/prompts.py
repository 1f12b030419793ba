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


def write_names(
    captions: list[str],
    owner: np.ndarray,
    contributors: list[str],
    encoder: Encoder,
    size: tuple[int, int],
    folder: Path,
    **about: Any,
) -> None:
    """Embed the training images' texts with their contributors' names, for a model that is told whose each image is.

    captions: (images,). owner: (images,) the number of each one's contributor. A name comes first, because a long text
    is cut at its end. Raises UserError on names that the base's tokenizer does not tell apart.
    """
    read: dict[tuple[int, ...], str] = {}
    for name in contributors:
        other = read.setdefault(tuple(encoder.tokenizer(name).input_ids), name)
        if other != name:
            raise UserError(
                f"found the contributors {other!r} and {name!r}, expected names that the base's tokenizer tells apart,"
                " because the regime conditional tells it the names"
            )
    told = [_naming(contributors[number], text) for number, text in zip(owner.tolist(), captions, strict=True)]
    if cut := [text for text in told if encoder.tokens(text) > encoder.most]:
        log.warning(
            "Warning: %d captions have more than %d tokens with a name before them; the base reads the first %d only"
            " (such as %r)",
            len(cut), encoder.most, encoder.most, cut[0][:60],
        )  # fmt: skip
    write_texts(told, encoder, size, folder)
    announce(folder, [TEXTS], provenance=about)


def write_named_prompts(
    prompts: list[str], contributors: list[str], encoder: Encoder, size: tuple[int, int], folder: Path, **about: Any
) -> None:
    """Embed the prompts (drawn,) of the generated images with every contributor's name, and last without a name.

    Raises UserError on a name with which a prompt becomes too long.
    """
    for name in contributors:
        for prompt in dict.fromkeys(prompts):
            if (found := encoder.tokens(_naming(name, prompt))) > encoder.most:
                raise UserError(
                    f"found the contributor {name[:60]!r}, whose name and the prompt {prompt[:60]!r} have {found}"
                    f" tokens, expected at most {encoder.most}, because the regime conditional tells the base both"
                )
    drawn = [_naming(name, prompt) for name in contributors for prompt in prompts]
    write_texts([*drawn, *prompts], encoder, size, folder)
    announce(folder, [TEXTS], provenance=about)


def _naming(contributor: str, text: str) -> str:
    return f"{contributor}: {text}"


def with_names(inputs: Inputs, names: Path | None) -> Inputs:
    """The inputs with texts that name each training image's contributor. names: the manifest of `write_names`'s."""
    if names is None:
        return inputs
    conditions, labels = read_prompts(names)
    digest = digest_of([inputs.digest, digest_of_file(names)])
    return replace(inputs, conditions=conditions, labels=labels, digest=digest)


def read_named_prompts(manifest: Path, drawn: int) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """What a network is told of texts, and the rows (contributors + 1, drawn) of the generated images' texts."""
    conditions, labels = read_prompts(manifest)
    assert labels is not None
    return conditions, labels.reshape(-1, drawn)


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
