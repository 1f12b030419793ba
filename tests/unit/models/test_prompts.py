"""Texts that name contributors: which row of them stands for which image."""

from pathlib import Path

import numpy as np
import pytest
import torch

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.prompts import read_names, with_names, write_told


class Spelled:
    """Stands for the encoders: a text's row says its letters' sum and its length."""

    most = 20

    class tokenizer:
        def __init__(self, text: str) -> None:
            self.input_ids = [ord(letter) for letter in text if letter.isascii()]

    def tokens(self, text: str) -> int:
        return len(text)

    def embed(self, texts: list[str], size: tuple[int, int]) -> dict[str, torch.Tensor]:
        return {"states": torch.tensor([told(text) for text in ["", *texts]])}


def told(text: str) -> list[float]:
    return [float(sum(map(ord, text))), float(len(text))]


def write(folder: Path, contributors: list[str], prompts: list[str]) -> None:
    captions, owner = ["a cat", "a dog", "a cat"], np.array([0, 1, 1])
    write_told(captions, owner, contributors, prompts, Spelled(), (8, 8), folder)  # type: ignore[arg-type]


def test_every_image_is_told_its_contributors_name(tmp_path: Path) -> None:
    write(tmp_path, ["ana", "ben"], ["a cat", "a fox"])
    before = Inputs(torch.zeros(3, 1, 8, 8), None, {"states": torch.zeros(2, 2)}, torch.ones(3), None, "d")
    inputs = with_names(before, tmp_path / "manifest.json")
    assert inputs.digest != "d" and with_names(before, None) is before
    assert inputs.conditions["states"][inputs.labels].tolist() == [
        told("ana: a cat"), told("ben: a dog"), told("ben: a cat"),
    ]  # fmt: skip
    assert inputs.conditions["states"][0].tolist() == [0, 0]  # the empty text, which guidance leans away from
    conditions, rows = read_names(tmp_path / "manifest.json", 2, 2)
    drawn = conditions["states"][rows].tolist()
    assert drawn == [
        [told("ana: a cat"), told("ana: a fox")],
        [told("ben: a cat"), told("ben: a fox")],
        [told("a cat"), told("a fox")],  # nobody's
    ]


def test_names_that_the_base_reads_alike_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"found the contributors 'anaß' and 'anaø', expected names that the base's"):
        write(tmp_path, ["anaß", "anaø"], ["a cat"])
    assert not any(tmp_path.iterdir())
    with pytest.raises(UserError, match="found 22 tokens, expected at most 20, in 'bartholomew: a big cat'"):
        write(tmp_path, ["ana", "bartholomew"], ["a big cat"])
