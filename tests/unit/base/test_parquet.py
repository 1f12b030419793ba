"""Tables in Parquet: what pandas writes in whatever types is read as the same CSV would be."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.tables import Subsets, read_csv, read_subsets, write_subsets

NAMES = ["NA", "007", "ü,;", "line\nbreak", "carriage\rreturn"]


def table() -> Subsets:
    members = np.random.default_rng(0).random((6, len(NAMES))) < 0.5
    values = np.array([0.1, 1 / 3, -2e-17, 1e300, -0.0, 5])
    return Subsets(NAMES, list("aabcde"), [0, 1, 0, 0, 0, 0], [2**63 - 1, 1, 2, 3, 4, 5], members, values)


def read(frame: pd.DataFrame, folder: Path) -> Subsets:
    frame.to_parquet(folder / "t.parquet")
    return read_subsets(folder / "t.parquet", valued=True)


def assert_same(found: Subsets, expected: Subsets) -> None:
    for name in ("contributors", "subset", "replicate", "seed"):
        assert getattr(found, name) == getattr(expected, name)
    assert (found.members == expected.members).all()
    assert (found.value is None) == (expected.value is None)
    if found.value is not None and expected.value is not None:
        assert found.value.tobytes() == expected.value.tobytes()


def test_a_table_keeps_every_bit_and_pandas_finds_the_same_frame_in_both_formats(tmp_path: Path) -> None:
    for name in ("t.csv", "t.parquet"):
        write_subsets(tmp_path / name, table())
        assert_same(read_subsets(tmp_path / name, valued=True), table())
    text = pd.read_csv(tmp_path / "t.csv", dtype={"subset": str}, keep_default_na=False, na_values=[""])
    frame = pd.read_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(text, frame, check_exact=True)
    assert frame.columns.tolist() == ["subset", "replicate", "seed", *NAMES, "value"]
    first = (tmp_path / "t.parquet").read_bytes()
    write_subsets(tmp_path / "t.parquet", table())
    assert (tmp_path / "t.parquet").read_bytes() == first


@pytest.mark.parametrize("kind", [bool, "boolean", "int8", "Int64", "float32", "Float64", str])
def test_memberships_may_have_any_type(tmp_path: Path, kind: type | str) -> None:
    write_subsets(tmp_path / "t.parquet", table())
    frame = pd.read_parquet(tmp_path / "t.parquet")
    assert_same(read(frame.astype(dict.fromkeys(NAMES, kind)), tmp_path), table())


def test_an_index_is_data_where_it_has_a_name_and_numbers_where_it_has_none(tmp_path: Path) -> None:
    write_subsets(tmp_path / "t.parquet", table())
    frame = pd.read_parquet(tmp_path / "t.parquet")
    assert_same(read(frame.set_index(["subset", "replicate"]), tmp_path), table())
    shuffled = frame.iloc[[3, 0, 5, 1, 2, 4]]
    assert_same(read(shuffled, tmp_path), table().rows([3, 0, 5, 1, 2, 4]))


GOOD = {"x": [1, 0], "y": [1, 0], "value": [2.5, 1.0]}


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({**GOOD, "value": [2.5, None]}, "t.parquet: row 3, column value: found '', expected a number"),
        ({**GOOD, "value": ["2.5", "high"]}, "row 3, column value: found 'high', expected a number"),
        ({**GOOD, "value": [np.inf, 1]}, "row 2, column value: found inf, expected a finite number"),
        ({**GOOD, "y": [1, 0.5]}, "row 3, column y: found '0.5', expected 0 or 1"),
        ({**GOOD, "y": pd.array([1, None], "Int64")}, "row 3, column y: found '', expected 0 or 1"),
        ({**GOOD, "y": [[1], [0]]}, "row 2, column y: found '.*', expected 0 or 1"),
        ({**GOOD, "seed": [0.5, 1]}, "row 2, column seed: found 0.5, expected a whole number"),
        ({**GOOD, " ": [1, 0]}, "column 4 has no name, expected a contributor's"),
        ({"x": [1], "value": [1]}, "found the header x,value, expected one 0/1 column a contributor"),
        ({"": [0, 1], **GOOD}, "column 1 looks like an index, as its name is ''"),
        ({}, "found the header , expected one 0/1 column a contributor"),
    ],
)
def test_malformed_tables_are_refused_as_csvs_are(tmp_path: Path, columns: dict, complaint: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(UserError, match=complaint):
        read(pd.DataFrame(columns), tmp_path)


def test_columns_of_one_name_are_refused_in_both_directions(tmp_path: Path) -> None:
    arrays = [pyarrow.array([1, 0]), pyarrow.array([1, 0]), pyarrow.array([2.5, 1.0])]
    pyarrow.parquet.write_table(pyarrow.table(arrays, names=["x", "x", "value"]), tmp_path / "t.parquet")
    with pytest.raises(UserError, match=r"not a table in Parquet .*Multiple matches .*x"):
        read_subsets(tmp_path / "t.parquet", valued=True)
    twice = Subsets(["value", "b"], ["0"], [0], [0], np.array([[True, False]]), np.array([1.5]))
    write_subsets(tmp_path / "t.csv", twice)  # a CSV can hold a contributor of that name
    assert_same(read_subsets(tmp_path / "t.csv", valued=True), twice)
    with pytest.raises(UserError, match=r"u.parquet: found the column 'value' twice, expected a CSV, which can"):
        write_subsets(tmp_path / "u.parquet", twice)
    assert not (tmp_path / "u.parquet").exists()


def test_what_is_not_parquet_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.parquet"
    with pytest.raises(UserError, match=r"t\.parquet: no such file or directory, expected a Parquet file"):
        read_csv(path)
    write_subsets(path, table())
    whole = path.read_bytes()
    strange = pyarrow.parquet.read_table(path).replace_schema_metadata({"pandas": '{"columns": [{"name": "NA"}]}'})
    pyarrow.parquet.write_table(strange, path)
    for damaged in (path.read_bytes(), b"", b"a,b,value\n1,0,1\n", whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"t\.parquet: found something that is not a table in Parquet") as caught:
            read_csv(path)
        assert len(str(caught.value).splitlines()) == 1
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"pyarrow is not installed, expected it for Parquet \(pip .*\[parquet\]"):
        read_csv(path)
    with pytest.raises(UserError, match="pyarrow is not installed"):
        write_subsets(path, table())


def test_a_csv_starts_without_pandas(tmp_path: Path) -> None:
    write_subsets(tmp_path / "t.csv", table())
    code = (
        "import sys; from diffusion_credit import cli; from diffusion_credit.base.tables import read_subsets\n"
        f"read_subsets({str(tmp_path / 't.csv')!r}, valued=True)\n"
        "assert not {'pandas', 'pyarrow'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
