"""Plug-ins: what is registered is what mypy compares with the protocols."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

from diffusion_credit.base.plugins import PLACES

APART = {"models.regimes": {"full", "refit"}}  # registered in another list
UNLISTED = ("models.pruning", "models.given")  # one for each network, so without lists of their own


@pytest.mark.parametrize("place", sorted(PLACES.values()))
def test_every_registered_module_is_compared_with_its_protocol(place: str) -> None:
    package = import_module(f"diffusion_credit.{place}")
    source = Path(str(package.__file__))
    tree = ast.parse(source.read_text())
    checked = {
        alias.name
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module == f"diffusion_credit.{place}"
        for alias in node.names
    }
    modules = {path.stem for path in source.parent.glob("*.py")} - {"__init__"}
    assert checked == modules, "a module is not compared with its protocol"
    if place not in UNLISTED:
        name = place.split(".")[-1 if not place.startswith(("subsets", "baselines")) else 0].upper()
        listed = {kind.replace("-", "_") for kind in getattr(package, {"SUBSETS": "DESIGNS"}.get(name, name))}
        assert listed | APART.get(place, set()) == modules, "a module is not registered"
