"""Published numbers beside ours: what a file of them has to be, and what is said where a number is missing."""

from pathlib import Path

import numpy as np
import pytest

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.tables import Subsets
from diffusion_credit.evaluation.published import COLUMNS, HEADER, beside, lds, looked_up, read_published

HEAD = ",".join(COLUMNS) + "\n"
LINES = "lds,TRAK,fid,trak,mean,0.5,12.5,1.5,\nruntime,Retraining,fid,retrain,models,,77.4,,another GPU\n"


def read(tmp_path: Path, text: str) -> list:
    (tmp_path / "published.csv").write_text(text)
    return read_published(tmp_path / "published.csv", ["paper"], ["trak"], ["sparse", "retrain"], ["fid"])


def test_rows_keep_the_papers_order_and_its_numbers(tmp_path: Path) -> None:
    rows = read(tmp_path, HEAD + LINES)
    found = beside(
        rows, {"lds": lambda row: [1.0, 0.5, 1.5, "made", ""], "runtime": lambda row: ["", "", "", "", "not measured"]}
    )
    assert [dict(zip(HEADER, row, strict=True)) for row in found["lds"]] == [
        {
            "row": "TRAK", "property": "fid", "method": "trak", "part": "mean", "alpha": "0.5", "published": "12.5",
            "plus_minus": "1.5", "ours": 1.0, "low": 0.5, "high": 1.5, "made_of": "made", "difference": "", "note": "",
        }
    ]  # fmt: skip
    assert found["runtime"][0][-2:] == ["another GPU", "not measured"]
    assert found["removal"] == found["fidelity"] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("table,row\n", "found the columns table,row, expected table,row,property"),
        (HEAD + "ldz,TRAK,fid,trak,,0.5,,,\n", "row 2, column table: found 'ldz', expected one of lds, removal"),
        (HEAD + "lds,TRAK,kid,trak,,0.5,,,\n", "row 2, column property: found 'kid', expected one of fid"),
        (HEAD + "lds,TRAK,fid,sparse,,0.5,,,\n", "row 2, column method: found 'sparse', expected one of paper, trak"),
        (HEAD + "fidelity,s,fid,trak,,0.5,,,\n", "row 2, column method: found 'trak', expected one of sparse, retrain"),
        (HEAD + "lds,TRAK,fid,trak,sum,0.5,,,\n", "column part: found 'sum', expected one of nothing, mean, max"),
        (HEAD + "lds,Shapley,fid,paper,mean,0.5,,,\n", "column part: found 'mean', expected one of nothing"),
        (HEAD + LINES + "lds,TRAK,fid,trak,,0.5,12%,,\n", "row 4, column published: found '12%', expected a number or"),
        (HEAD + "lds,TRAK,fid,trak,,0.5,12,nan\n", "row 2 has 8 fields, expected 9"),
        (HEAD + "lds,TRAK,fid,trak,,0.5,12,nan,\n", "column plus_minus: found 'nan', expected a number or nothing"),
    ],
)
def test_what_is_no_such_file_is_refused_in_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert str(tmp_path / "published.csv") in str(caught.value)


def test_an_lds_is_in_percent_and_says_where_there_is_none(tmp_path: Path) -> None:
    members = np.array([[1, 0, 0, 1], [0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0]], dtype=bool)
    value = members @ np.array([1.0, 2.0, 3.5, 4.0])
    names = [f"s{i}" for i in range(5)]
    held_out = {"0.5": Subsets(list("abcd"), names, [0] * 5, [0] * 5, members, value)}
    (row, _) = read(tmp_path, HEAD + LINES)
    right, *_, note = lds(row, held_out, np.array([1.0, 2.0, 3.5, 4.0]), "made", 0)
    wrong, *_ = lds(row, held_out, -np.array([1.0, 2.0, 3.5, 4.0]), "made", 0)
    assert (right, wrong) == pytest.approx((100, -100)) and not note
    assert lds(row, {"0.25": held_out["0.5"]}, np.ones(4), "made", 0) == [
        "", "", "", "", "not measured: the study holds out subsets of 0.25",
    ]  # fmt: skip


def test_a_number_is_looked_up_with_its_interval(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("regime,stage,seconds,low,note\nsparse,models,90,60,\nsparse,images,,,not estimable: none\n")
    columns = ("seconds", "low", "")
    assert looked_up(table, {"regime": "sparse", "stage": "models"}, columns, 1 / 60) == [1.5, 1.0, "", "", ""]
    missing = ["", "", "", "", "not measured by this study"]
    assert looked_up(table, {"regime": "retrain", "stage": "models"}, columns, 1) == missing
    assert looked_up(table, {"regime": "sparse", "stage": "images"}, columns, 1)[-1] == "not estimable: none"
