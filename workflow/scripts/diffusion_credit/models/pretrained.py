"""Models of diffusers and transformers from pretrained weights: safetensors and JSON only, and complete."""

from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import CONFIG, read_json
from diffusion_credit.models.weights import listed_in, open_weights


def load_pretrained(kind: Any, folder: Path, device: str, precision: str = "float32") -> Any:
    """A frozen model of the class `kind` from a folder that such a model was saved into. precision: or bf16.

    Raises UserError naming the folder when it cannot be read, or lacks a part of the model: the libraries would draw
    that part at random.
    """
    _quiet(kind.__module__.split(".")[0])
    if not folder.is_dir():
        raise UserError(f"{folder}: not found, expected the folder of a {kind.__name__}")
    try:
        model, found = kind.from_pretrained(
            folder,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            torch_dtype=torch.bfloat16 if precision == "bf16" else torch.float32,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise UserError(f"{folder}: found no {kind.__name__} that can be loaded ({first_line(error)})") from None
    if missing := sorted(found["missing_keys"]):
        raise UserError(
            f"{folder}: found no weights for {missing[0]} and {len(missing) - 1} others, expected a {kind.__name__}"
        )
    return model.eval().requires_grad_(False).to(device)


def load_given(kind: Any, given: Path, part: str) -> tuple[Any, Path]:
    """A model of the class `kind` that was saved by itself, or in the folder `part` of a pipeline; and its config.json.

    given: the manifest of the folder, of which only the files that it lists are read. Raises UserError when the folder
    holds another model, or files of it that are not listed.
    """
    folder, listed = open_weights(given), listed_in(given)
    below = f"{part}/" if (folder / part).is_dir() else ""
    folder = folder / below
    file = folder / CONFIG
    said = read_json(file)
    if (found := said.get("_class_name") if isinstance(said, dict) else said) != kind.__name__:
        raise UserError(f"{file}: found {found!r:.60}, expected a {kind.__name__}")
    for path in (file, *sorted(folder.glob("diffusion_pytorch_model*.safetensors*"))):
        if below + path.name not in listed:
            raise UserError(
                f"{path}: found a file of the model that the weights' `files` leave out, expected all of it"
            )
    return load_pretrained(kind, folder, "cpu"), file


def check_shapes(file: Path, takes: tuple[int, ...], gives: int, shape: tuple[int, int, int]) -> None:
    """Raises UserError unless a given network takes and gives tensors of `shape`, (channels, height, width).

    file: its config.json. takes: (channels, height, width). gives: channels.
    """
    if (*takes, gives) != (*shape, shape[0]):
        raise UserError(
            f"{file}: found a network from {takes[0]} to {gives} channels of {takes[1]} x {takes[2]}, expected"
            f" {shape[0]} channels of {shape[1]} x {shape[2]}, as the images have (data.size, data.mode)"
        )


def load_tokenizer(kind: str, folder: Path) -> Any:
    """A tokenizer of transformers. Raises UserError naming the folder when it cannot be read, or has no vocabulary.

    transformers would make one of a few letters up, by which all texts are alike.
    """
    choices = [["tokenizer.json"], *([["vocab.json", "merges.txt"]] if kind.startswith("CLIP") else [])]
    if not any(all((folder / name).is_file() for name in names) for names in choices):
        expected = " or ".join(" with ".join(names) for names in choices)
        raise UserError(f"{folder}: found no vocabulary of a tokenizer, expected {expected}")
    try:
        return getattr(import_module("transformers"), kind).from_pretrained(folder, local_files_only=True)
    except Exception as error:  # of several libraries, on files of other tokenizers
        raise UserError(f"{folder}: found no tokenizer ({first_line(error)})") from None


def first_line(error: Exception) -> str:
    """What a library complains of, without its advice."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _quiet(library: str) -> None:
    """Neither progress bars nor tables of what is missing: one sentence says that."""
    if library == "transformers":
        from transformers.utils import logging
    else:
        from diffusers.utils import logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()
