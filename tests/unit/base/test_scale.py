"""The scale of a property: a table says its own, and nothing has a logarithm that has none."""

from pathlib import Path

import numpy as np
import pytest

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.scale import changed, measured, transformed
from diffusion_credit.base.tables import Subsets, concatenate, read_subsets, write_subsets

MEMBERS = np.array([[True, False, True], [False, True, True]])


def table(names: list[str], transform: str) -> Subsets:
    value = np.array([0.25, -3.0])
    return Subsets(names, ["00000", "00001"], [0, 0], [5, 6], MEMBERS, value, transform)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("names", [["a", "b", "c"], ["value", "log_value", "seed"]])
@pytest.mark.parametrize("transform", ["none", "log"])
def test_a_table_says_its_scale_whatever_contributors_are_called(
    tmp_path: Path, names: list[str], transform: str, suffix: str
) -> None:
    path = tmp_path / f"t.{suffix}"
    if suffix == "parquet" and names[0] != "a":
        with pytest.raises(UserError, match="twice"):
            write_subsets(path, table(names, transform))
        return
    write_subsets(path, table(names, transform))
    found = read_subsets(path, valued=True)
    assert found.transform == transform
    assert found.contributors == names
    assert found.value is not None and found.value.tolist() == [0.25, -3.0]
    assert np.array_equal(found.members, MEMBERS)


def test_a_table_made_elsewhere_may_hold_logarithms(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("log_value,a,b\n-1.5,0,1\n2,1,0\n")
    found = read_subsets(path, valued=True)
    assert (found.contributors, found.transform) == (["a", "b"], "log")
    assert found.value is not None and found.value.tolist() == [-1.5, 2]
    path.write_text("log_value,a,b,value\n0,0,1,7\n1,1,0,8\n")  # a contributor's, or logarithms?
    with pytest.raises(UserError, match=r"t\.csv: found the columns value and log_value, expected one of them"):
        read_subsets(path, valued=True)


def test_scales_do_not_mix() -> None:
    with pytest.raises(ValueError, match="scales"):
        concatenate([table(["a", "b", "c"], "none"), table(["a", "b", "c"], "log")])


def test_logarithms_come_and_go() -> None:
    values = np.array([0.5, 2.0, 3e4])
    logarithms = transformed(values, "log", ["x", "y", "z"])
    assert [measured(each, "log") for each in logarithms] == pytest.approx(values)
    assert transformed(values, "none", []) is values
    assert changed(np.log(1.25), "log") == pytest.approx(25)  # percent
    assert changed(-4.0, "none") == -4
    for wrong in (0.0, -1.0):
        with pytest.raises(UserError, match=r"found the value -?[01] of y, expected values above 0"):
            transformed(np.array([1.0, wrong]), "log", ["x", "y"])
