"""Texts that name contributors: which row of them stands for which image."""

from pathlib import Path

import numpy as np
import pytest
import torch

from diffusion_credit.base.errors import UserError
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.prompts import read_named_prompts, with_names, write_named_prompts, write_names


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


def names(folder: Path, contributors: list[str]) -> Path:
    captions, owner = ["a cat", "a dog", "a cat"], np.array([0, 1, 1])
    write_names(captions, owner, contributors, Spelled(), (8, 8), folder)  # type: ignore[arg-type]
    return folder / "manifest.json"


def test_every_image_is_told_its_contributors_name(tmp_path: Path) -> None:
    before = Inputs(torch.zeros(3, 1, 8, 8), None, {"states": torch.zeros(2, 2)}, torch.ones(3), None, "d")
    inputs = with_names(before, names(tmp_path, ["ana", "ben"]))
    assert inputs.digest != "d" and with_names(before, None) is before
    assert inputs.labels is not None
    assert inputs.conditions["states"][inputs.labels].tolist() == [
        told("ana: a cat"), told("ben: a dog"), told("ben: a cat"),
    ]  # fmt: skip
    assert inputs.conditions["states"][0].tolist() == [0, 0]  # the empty text, which guidance leans away from


def test_every_contributor_draws_every_prompt_and_nobody_draws_them_plain(tmp_path: Path) -> None:
    write_named_prompts(["a cat", "a fox"], ["ana", "ben"], Spelled(), (8, 8), tmp_path)  # type: ignore[arg-type]
    conditions, rows = read_named_prompts(tmp_path / "manifest.json", 2)
    assert conditions["states"][rows].tolist() == [
        [told("ana: a cat"), told("ana: a fox")],
        [told("ben: a cat"), told("ben: a fox")],
        [told("a cat"), told("a fox")],
    ]


def test_names_that_the_base_cannot_take_are_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UserError, match=r"found the contributors 'anaß' and 'anaø', expected names that the base's"):
        names(tmp_path, ["anaß", "anaø"])
    with pytest.raises(UserError, match=r"found the contributor 'bartholomew', .* prompt 'a big cat' have 22 tokens"):
        write_named_prompts(["a big cat"], ["ana", "bartholomew"], Spelled(), (8, 8), tmp_path)  # type: ignore[arg-type]
    assert not any(tmp_path.iterdir())
    names(tmp_path, ["ana", "bartholomew the elder"])
    assert "2 captions have more than 20 tokens with a name before them" in caplog.text
