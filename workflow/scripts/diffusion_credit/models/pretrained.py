"""Models of diffusers and transformers from pretrained weights: safetensors and JSON only, complete, in float32."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from diffusion_credit.base.errors import UserError


def load_pretrained(kind: Any, folder: Path, device: str) -> Any:
    """A frozen model of the class `kind` from a folder that such a model was saved into.

    Raises UserError naming the folder when it cannot be read, or lacks a part of the model: the libraries would draw
    that part at random.
    """
    _quiet(kind.__module__.split(".")[0])
    try:
        model, found = kind.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise UserError(f"{folder}: found no {kind.__name__} that can be loaded ({first_line(error)})") from None
    if missing := sorted(found["missing_keys"]):
        raise UserError(
            f"{folder}: found no weights for {missing[0]} and {len(missing) - 1} others, expected a {kind.__name__}"
        )
    return model.float().eval().requires_grad_(False).to(device)


def load_tokenizer(folder: Path) -> Any:
    """CLIP's tokenizer. Raises UserError naming the folder when it cannot be read."""
    from transformers import CLIPTokenizer

    try:
        return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{folder}: found no tokenizer ({first_line(error)})") from None


def first_line(error: Exception) -> str:
    """What a library complains of, without its advice."""
    return str(error).strip().splitlines()[0]


def _quiet(library: str) -> None:
    """Neither progress bars nor tables of what is missing: one sentence says that."""
    if library == "transformers":
        from transformers.utils import logging
    else:
        from diffusers.utils import logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()
