"""The configuration: the reference lists every option, the shipped studies are valid."""

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from diffusion_credit.config import read_study
from diffusion_credit.config_docs import document

ROOT = Path(__file__).parents[2]


def test_the_reference_is_made_from_the_models() -> None:
    text = (ROOT / "config/README.md").read_text()
    assert text == document()

    ours = [model for model in all_subclasses(BaseModel) if model.__module__.startswith("diffusion_credit")]
    for key in {key for model in ours for key in model.model_fields}:
        assert f"| `{key}` |" in text, key


def all_subclasses(model: type) -> set[type]:
    return {model, *(deeper for sub in model.__subclasses__() for deeper in all_subclasses(sub))}


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_studies_are_valid_and_named_after_their_file(path: Path) -> None:
    study = read_study(yaml.safe_load(path.read_text()))
    assert study.study == (path.stem if path.parent.name == "studies" else "digits")


def test_every_option_has_a_sentence() -> None:
    for model in all_subclasses(BaseModel):
        if model.__module__.startswith("diffusion_credit"):
            for name, field in model.model_fields.items():
                section = isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
                assert section or field.description or name in ("kind", "source", "lds", "finetune"), (model, name)


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_conda_environments_have_the_versions_of_the_constraints(name: str) -> None:
    pinned = set((ROOT / "constraints.txt").read_text().split())
    *conda, pip = yaml.safe_load((ROOT / f"envs/{name}.yaml").read_text())["dependencies"]
    versions = {*pip["pip"], *(line.replace("pytorch-cpu=", "torch==") for line in conda if "pytorch" in line)}
    assert versions <= pinned
    assert {version.split("==")[0] for version in versions} >= {"torch", "diffusers", "torch-pruning", "snakemake"}
