"""A way to credit, with what it cost: what the league compares."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from diffusion_credit.base.collection import SECONDS, entries
from diffusion_credit.base.files import read_json
from diffusion_credit.base.tables import Subsets, concatenate, read_subsets
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.credit.regression import NO_DIFFERENCES
from diffusion_credit.credit.utilities import Utilities, read_utilities


@dataclass(frozen=True)
class Method:
    """A way to credit. value: (n,). made_of: in words. fixed: manifests of what it costs, however few its subsets are.

    each: manifests of what its subsets cost. removed: values of models without its top (seeds,), or None. note: what
    has to be known of the values.
    """

    name: str
    value: np.ndarray
    made_of: str
    fixed: list[Path] = field(default_factory=list)
    each: list[Path] = field(default_factory=list)
    seconds: float = 0.0
    removed: np.ndarray | None = None
    note: str = ""

    @cached_property
    def cost(self) -> tuple[float, dict[str, float]]:
        """Seconds apart from subsets, and of each subset by name, as the jobs measured their work without start-up."""
        fixed = self.seconds + sum(sum(seconds_of(manifest).values()) for manifest in self.fixed)
        each: dict[str, float] = {}
        for manifest in self.each:
            for name, seconds in seconds_of(manifest).items():
                each[name] = each.get(name, 0.0) + seconds
        return fixed, each


def seconds_of(manifest: Path) -> dict[str, float]:
    """Entry -> seconds of a collection. Raises UserError naming the file that does not say."""
    return {name: float(read_json(folder / SECONDS)) for name, (folder, _) in entries(manifest).items()}


def read_method(about: dict[str, Any], attribution: str, removed: Subsets, main: str) -> Method:
    """A method of the study.

    about: as `league_methods` of the study says it. attribution: the table of its values. removed: values of models
    without the top of each method, whose rows are named after it; those of the method `main` are named without_top.
    """
    name = about["name"]
    chosen = [subset == ("without_top" if name == main else name) for subset in removed.subset]
    credited = read_attribution(attribution)
    assert removed.value is not None
    return Method(
        name,
        credited.value,
        credited.value_of[0],
        fixed=[Path(path) for path in about["fixed"]],
        each=[Path(path) for path in about["each"]],
        seconds=read_json(about["about"])["seconds"] if about["about"] else 0.0,
        removed=removed.value[chosen] if any(chosen) else None,
        note=NO_DIFFERENCES if NO_DIFFERENCES in credited.note[0] else "",
    )


def read_game(about: dict[str, Any]) -> tuple[Utilities | None, list[str]]:
    """A method's utilities, and the names of its proper subsets in their order; of a baseline, which has none, None."""
    if not about["utilities"]:
        return None, []
    table = concatenate([read_subsets(path, valued=True) for path in about["utilities"]])
    proper = table.rows(np.flatnonzero(table.members.any(axis=1) & ~table.members.all(axis=1)))
    return read_utilities(about["utilities"], about["cheap"]), proper.names
