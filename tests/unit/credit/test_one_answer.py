"""A value lies in its interval, its rank in its ranks, for every estimator that has intervals; real and simulated."""

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.tables import read_subsets
from diffusion_credit.credit.attribution import Attribution, credit, estimate
from diffusion_credit.credit.estimators import ESTIMATORS
from diffusion_credit.credit.utilities import Utilities
from diffusion_credit.study.config import read_options
from diffusion_credit.subsets.frame import frame_of
from diffusion_credit.subsets.reserved import Reserved

TABLES = Path(__file__).parents[3] / "benchmarks/digits_exact"
DESIGN = {  # that gives each estimator what it needs; all others take the default one
    "exact": "all", "leave-one-out": "leave-one-out", "add-one-in": "add-one-in", "datamodel": "datamodel",
    "permutation": "permutation", "owen": "owen", "banzhaf": "uniform",
}  # fmt: skip
WITHOUT = ("datamodel", "surrogate")  # which have no intervals
GROUPS = {"even": [f"c{i}" for i in range(0, 10, 2)], "odd": [f"c{i}" for i in range(1, 10, 2)]}


def game(name: str, kind: str, rows: int, seed: int) -> Utilities:
    """A table of two rows of either end: of the real game, on its logarithm or not, or of a saturating one."""
    names = [f"c{i}" for i in range(10)]
    frame = frame_of(names, seed, Reserved(10, [], seed), {"groups": GROUPS})
    design = DESIGN.get(kind, "paired-stratified")
    drawn = module_of("designs", design).stream(frame)
    members = np.array(list(islice(drawn, 1022 if kind == "exact" else rows)))
    rng = np.random.default_rng(seed)
    if name == "saturating":
        worth = rng.gamma(2, 1, 10)

        def f(x: np.ndarray) -> np.ndarray:
            return np.log1p(x @ worth) + 0.05 * rng.normal(size=len(x))
    else:
        table = read_subsets(TABLES / f"{name.removeprefix('log ')}_sparse.csv", valued=True)
        assert table.value is not None
        codes = table.members @ (1 << np.arange(10))
        mean = np.bincount(codes, weights=table.value) / np.bincount(codes)

        def f(x: np.ndarray) -> np.ndarray:
            value: np.ndarray = mean[x @ (1 << np.arange(10))]
            return np.log(value) if name.startswith("log") else value * (1 + 0.01 * rng.normal(size=len(x)))

    twice = np.concatenate([members, members]) if kind in ("exact", "leave-one-out", "add-one-in") else members
    ends = [f(np.full((2, 10), there)) for there in (True, False)]
    return Utilities(names, twice, f(twice), *ends)


@pytest.mark.parametrize("rows", [40, 100, 300])
@pytest.mark.parametrize("name", ["saturating", "inception_score", "fid", "log fid"])
@pytest.mark.parametrize("kind", [each for each in ESTIMATORS if each not in WITHOUT])
def test_every_value_lies_in_its_interval(kind: str, name: str, rows: int) -> None:
    options: dict[str, Any] = read_options("estimators", kind, {})
    options |= {"groups": GROUPS} if kind == "owen" else {}
    table = game(name, kind, rows, rows)
    found = estimate(table, options)
    for higher_is_better in (True, False):
        result: Attribution = credit(table.contributors, table.total, found, higher_is_better, 4)
        if not found.interval:
            assert "not estimable" in found.note
            continue
        for low, high in ((result.low, result.high), (result.simultaneous_low, result.simultaneous_high)):
            assert (low <= result.value).all() and (result.value <= high).all()
        assert (result.rank_low <= result.rank).all() and (result.rank <= result.rank_high).all()
        assert (result.simultaneous_low <= result.low).all() and (result.high <= result.simultaneous_high).all()


def test_an_interval_is_widened_to_a_value_of_another_fit_and_no_further() -> None:
    table = game("inception_score", "ridge", 100, 0)
    found = estimate(table, {"kind": "ridge"})
    assert found.interval
    result = credit(table.contributors, table.total, found, True, 4)
    center, half = found.interval.center, found.interval.half_width()
    assert result.low == pytest.approx(np.minimum(center - half, found.value))
    assert result.high == pytest.approx(np.maximum(center + half, found.value))
    process = estimate(table, read_options("estimators", "gaussian-process", {}))
    assert process.interval and np.array_equal(process.interval.center, process.value)
