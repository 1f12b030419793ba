"""What networks with a prompt are told: the embeddings of texts, computed once, and whose text is which."""

from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from diffusion_credit.base.files import read_json, replacing
from diffusion_credit.base.plugins import module_of
from diffusion_credit.models.pretrained import load_pretrained, load_tokenizer
from diffusion_credit.models.weights import open_weights

TEXTS = "texts.safetensors"
PREFIX = "told."


class Encoder:
    """The text encoders of a base model, behind its pipeline."""

    def __init__(self, options: dict[str, Any], weights: dict[str, Path], device: str) -> None:
        """options: the section `model`. Raises UserError naming the part of the base that cannot be read."""
        self.family, folder = module_of("families", options["family"]), open_weights(weights[options["base"]])
        self.device, parts = device, {}
        for name, (kind, tokenizer, spelled) in self.family.ENCODERS.items():
            parts[tokenizer] = load_tokenizer(spelled, folder / tokenizer)
            parts[name] = load_pretrained(
                getattr(import_module("transformers"), kind), folder / name, device, options["base_precision"]
            )
            most = getattr(parts[name].config, "max_position_embeddings", None)
            if most and parts[tokenizer].model_max_length > most:  # some do not say it
                parts[tokenizer].model_max_length = most
        module, _, name = self.family.PIPELINE.rpartition(".")
        pipeline = getattr(import_module(f"diffusers.{module}"), name)
        index = folder / "model_index.json"
        said = read_json(index) if index.is_file() else {}
        absent = dict.fromkeys(("vae", "scheduler", self.family.DENOISER[0]))
        self.pipeline = pipeline(**parts, **absent, **self.family.WITHOUT)
        if "force_zeros_for_empty_prompt" in said:
            self.pipeline.register_to_config(force_zeros_for_empty_prompt=said["force_zeros_for_empty_prompt"])
        part, most = self.family.READS
        self.tokenizer = parts[part]
        self.most = most or self.tokenizer.model_max_length

    def tokens(self, text: str) -> int:
        """How many tokens a text has."""
        return len(self.tokenizer(text).input_ids)

    @torch.inference_mode()
    def embed(self, texts: list[str], size: tuple[int, int]) -> dict[str, torch.Tensor]:
        """What the network is told, a row for each text, after row 0 of the empty one. size: of the images."""
        # one at a time, so that no text depends on its neighbours
        rows = [self.family.embed(self.pipeline, text, size, self.device) for text in ("", *texts)]
        return {name: torch.cat([row[name].float().cpu() for row in rows]) for name in rows[0]}


def write_texts(texts: list[str], encoder: Encoder, size: tuple[int, int], folder: Path) -> None:
    """Write what the network is told of each text, equal ones once. texts: one an image."""
    different = list(dict.fromkeys(texts))
    rows = {text: row for row, text in enumerate(different, start=1)}
    tensors = {PREFIX + name: tensor.contiguous() for name, tensor in encoder.embed(different, size).items()}
    tensors["labels"] = torch.tensor([rows[text] for text in texts])
    with replacing(folder / TEXTS) as temporary:
        save_file(tensors, temporary)


def read_texts(folder: Path) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """What `write_texts` wrote, on the CPU: name -> (texts, ...), and (images,) the row of each image's text."""
    tensors = load_file(folder / TEXTS)
    labels = tensors.pop("labels")
    return {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}, labels
