"""The command line on tables of one's own: what a colleague would do, and one sentence for every mistake."""

import csv
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import games
import numpy as np
import pandas as pd
import pytest

from diffusion_credit.base.tables import read_subsets
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.show import lds_lines


def write(path: str, header: list[str], rows: list[list[object]]) -> None:
    with open(path, "w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def glove_rows() -> list[list[object]]:
    return [[*map(int, x), v] for x, v in zip(games.lattice(5), games.glove(), strict=True)]


NAMES = ["l1", "l2", "r1", "r2", "r3"]


def test_a_complete_table_gives_the_published_values(run) -> None:  # type: ignore[no-untyped-def]
    write("t.csv", [*NAMES, "value"], glove_rows())
    assert "l1" in run("attribute", "t.csv", "--estimator", "exact", "--output", "a.csv", "--figure", "a.png")
    assert read_attribution("a.csv").value == pytest.approx([13 / 20] * 2 + [7 / 30] * 3)
    assert Path("a.png").stat().st_size > 1000


def test_an_exact_game_is_its_own_answer(run) -> None:  # type: ignore[no-untyped-def]
    """Everyone was measured five times alike: there is no noise, and all subsets of an additive game are its values."""
    subsets = [[*map(int, x), float(x @ np.array([1, 2, 3]))] for x in games.lattice(3)]
    write("t.csv", ["c0", "c1", "c2", "value"], [*subsets, *[[1, 1, 1, 6.0], [0, 0, 0, 0.0]] * 4])
    run("attribute", "t.csv", "--output", "a.csv")
    found = read_attribution("a.csv")
    assert found.value == pytest.approx([1, 2, 3], abs=1e-6)
    assert (found.low <= found.value).all() and (found.value <= found.high).all()
    # a glove game is not additive: what all its subsets say are the published values
    write("g.csv", [*NAMES, "value"], [*glove_rows(), *[[1] * 5 + [2], [0] * 5 + [0]] * 4])
    run("attribute", "g.csv", "--output", "a.csv")
    assert read_attribution("a.csv").value == pytest.approx([13 / 20] * 2 + [7 / 30] * 3, abs=1e-4)


def test_noise_of_everyone_is_noise(run) -> None:  # type: ignore[no-untyped-def]
    """Here rows of everyone differ, so that single rows of the subsets are not taken for exact."""
    subsets = [[*map(int, x), float(x @ np.array([1, 2, 3]))] for x in games.lattice(3)]
    write("t.csv", ["c0", "c1", "c2", "value"], [*subsets, [1, 1, 1, 5.0], [1, 1, 1, 7.0], [0, 0, 0, 0.0]])
    run("attribute", "t.csv", "--output", "a.csv")
    found = read_attribution("a.csv")
    assert (found.high - found.low > 0.5).all()


def test_contributors_that_are_exactly_alike_share_the_chance_to_be_the_best(run) -> None:  # type: ignore[no-untyped-def]
    rows = [[*map(int, x), float(x.sum()) ** 2] for x in games.lattice(4)]
    for estimator in ("exact", "gaussian-process"):
        write("t.csv", ["a", "b", "c", "d", "value"], [*rows, *[[1] * 4 + [16.0], [0] * 4 + [0.0]] * 3])
        run("attribute", "t.csv", "--estimator", estimator, "--output", "a.csv", "--top", "2")
        found = read_attribution("a.csv")
        assert found.value == pytest.approx([4] * 4, abs=1e-4)
        chance = found.probability_top[~np.isnan(found.probability_top)]
        assert chance == pytest.approx(0.5, abs=0.05) or not len(chance)
        assert set(found.covers_equal_share) <= {"yes", ""}


def test_tables_go_through_links_and_pipes_and_no_folder_is_made(run) -> None:  # type: ignore[no-untyped-def]
    write("t.csv", [*NAMES, "value"], glove_rows())
    Path("real.csv").write_text("old")
    Path("link.csv").symlink_to("real.csv")
    run("attribute", "t.csv", "--estimator", "exact", "--output", "link.csv", "--figure", "a.png")
    assert Path("link.csv").is_symlink() and read_attribution("real.csv").contributor == NAMES
    complaint = run("attribute", "t.csv", "--output", "new/a.csv")
    assert complaint == "Error: new: not found, expected the folder that a.csv is to be written to"
    assert not Path("new").exists()
    Path("folder").mkdir()
    complaint = run("attribute", "t.csv", "--output", "a.csv", "--figure", "folder")
    assert complaint == "Error: folder: found a folder, expected the name of a file to write"
    Path("names.txt").write_text("a\nb\nc\nd\ne\nf\n")
    drawn = ("design", "--contributors", "names.txt", "--subsets", "4", "--seed", "1", "--output", "d.csv")
    assert run(*drawn, "--held-out", "d.csv").startswith("Error: d.csv: found the same file twice in the command")


def test_a_name_is_shown_on_a_terminal_that_lacks_its_letters() -> None:
    rows = "李,Åse,value\n1,1,3\n0,0,0\n1,0,1\n0,1,2\n"
    script = "import sys; from diffusion_credit.cli import main; sys.argv[1:] = ['attribute', 't.csv', '--output', 'a.csv']; main()"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "t.csv").write_text(rows, encoding="utf-8")
        for encoding, shown in (("latin-1", b"\\u674e"), ("ascii", b"\\xc5se"), ("utf-8", "李".encode())):
            environment = {**os.environ, "PYTHONIOENCODING": encoding}
            process = subprocess.run(
                [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, check=True
            )
            assert shown in process.stdout


def test_names_that_look_alike_are_said(run) -> None:  # type: ignore[no-untyped-def]
    write("t.csv", ["ana", "ana ", "ben", "value"], [[*map(int, x), float(x.sum())] for x in games.lattice(3)])
    note = "note: names that look alike are credited as different contributors: 'ana' and 'ana '"
    assert note in run("attribute", "t.csv", "--output", "a.csv")
    Path("names.txt").write_text("Ana\nana\nben\n")
    drawn = run("design", "--contributors", "names.txt", "--subsets", "4", "--seed", "1", "--output", "d.csv")
    assert "note: names that look alike are credited as different contributors: 'Ana' and 'ana'" in drawn


def test_nobody_has_a_share_of_harm(run) -> None:  # type: ignore[no-untyped-def]
    write("t.csv", ["a", "b", "value"], [[0, 0, 9], [1, 0, 8], [0, 1, 6], [1, 1, 5]])
    harm = run("attribute", "t.csv", "--estimator", "exact", "--output", "a.csv")
    assert "so that nobody has a share" in harm and "%" not in harm
    # an estimator that does not divide the total, of which shares are all the same
    assert "nobody has a share" in run("attribute", "t.csv", "--estimator", "leave-one-out", "--output", "a.csv")
    assert "75.0%" in run("attribute", "t.csv", "--estimator", "exact", "--output", "a.csv", "--lower-is-better")


def test_how_far_values_moved(run) -> None:  # type: ignore[no-untyped-def]
    """Two exact games: Ana leaves, Cem joins, and Bo brings one more."""
    for name, table in {
        "before": [[0, 0, 0], [1, 0, 4], [0, 1, 2], [1, 1, 6]],
        "after": [[0, 0, 0], [1, 0, 3], [0, 1, 5], [1, 1, 8]],
    }.items():
        who = ["Ana", "Bo"] if name == "before" else ["Bo", "Cem"]
        write(f"{name}.csv", [*who, "value"], table)
        run("attribute", f"{name}.csv", "--estimator", "exact", "--output", f"{name}_values.csv")
    said = run("compare", "before_values.csv", "after_values.csv", "--output", "moved.csv")
    lines = [line.split() for line in said.splitlines()[1:4]]
    assert lines[0] == ["Ana", "4", "–", "left", "66.7%", "to", "–"]
    assert lines[1] == ["Bo", "2", "3", "+1", "33.3%", "to", "37.5%"]
    assert lines[2] == ["Cem", "–", "5", "joined", "–", "to", "62.5%"]
    header, ana, bo, cem = list(csv.reader(Path("moved.csv").read_text().splitlines()))
    assert header == ["contributor", "before", "after", "moved", "low", "high", "share_before", "share_after"]
    assert (ana[2:6], bo[1:6], cem[1]) == ([""] * 4, ["2.0", "3.0", "1.0", "", ""], "")
    # with noise: the half-widths add as squares
    rng = np.random.default_rng(0)
    for name, worth in (("noisy", [4.0, 2.0, 1.0]), ("noisier", [4.0, 2.0, 5.0])):
        design = games.lattice(3)[rng.integers(0, 8, 80)]
        rows = [[*map(int, row), float(row @ worth + rng.normal())] for row in design]
        ends = [[int(end)] * 3 + [end * sum(worth) + rng.normal()] for end in (0, 0, 1, 1)]
        write(f"{name}.csv", ["a", "b", "c", "value"], [*rows, *ends])
        run("attribute", f"{name}.csv", "--estimator", "ridge", "--output", f"{name}_values.csv")
    assert "1 of 3 who are in both moved by more than the interval" in run(
        "compare", "noisy_values.csv", "noisier_values.csv", "--output", "m.csv"
    )
    old, new = (read_attribution(f"{name}_values.csv") for name in ("noisy", "noisier"))
    rows = list(csv.DictReader(Path("m.csv").read_text().splitlines()))
    for i, row in enumerate(rows):
        halves = [max(each.value[i] - each.low[i], each.high[i] - each.value[i]) for each in (old, new)]
        width = (float(row["high"]) - float(row["low"])) / 2
        assert width**2 == pytest.approx(halves[0] ** 2 + halves[1] ** 2)
    write("log.csv", ["a", "b", "value"], [[0, 0, 1], [1, 0, 4], [0, 1, 2], [1, 1, 8]])
    run("attribute", "log.csv", "--estimator", "exact", "--transform", "log", "--output", "log_values.csv")
    Path("none.csv").write_text(Path("before_values.csv").read_text().splitlines()[0] + "\n")
    assert "found nobody, or the same contributor twice, after" in run("compare", "before_values.csv", "none.csv")
    assert "found values of the scale 'none' before, expected 'log'" in run(
        "compare", "before_values.csv", "log_values.csv"
    )


def test_rows_and_columns_may_come_in_any_order(run) -> None:  # type: ignore[no-untyped-def]
    rows = glove_rows()[::-1]
    write("t.csv", ["value", "r3", "l1", "r1", "l2", "r2"], [[x[5], x[4], x[0], x[2], x[1], x[3]] for x in rows])
    run("attribute", "t.csv", "--estimator", "exact", "--output", "a.csv")
    found = read_attribution("a.csv")
    assert dict(zip(found.contributor, found.value, strict=True)) == pytest.approx(
        {"l1": 13 / 20, "l2": 13 / 20, "r1": 7 / 30, "r2": 7 / 30, "r3": 7 / 30}
    )


def test_design_measure_attribute_score(run) -> None:  # type: ignore[no-untyped-def]
    Path("names.txt").write_text("\n".join([f"artist, {i}" for i in range(9)]) + "\n")
    for count, name in ((60, "short"), (120, "long")):
        run("design", "--contributors", "names.txt", "--subsets", str(count), "--seed", "4",
            "--output", f"{name}.csv", "--held-out", f"held_{name}.csv", "--held-out-subsets", "20")  # fmt: skip
    short, long = Path("short.csv").read_text().splitlines(), Path("long.csv").read_text().splitlines()
    assert long[: len(short)] == short
    assert Path("held_short.csv").read_bytes() == Path("held_long.csv").read_bytes()
    Path("held_long.csv").rename("held.csv")
    assert len(long) == 1 + 10 + 120
    assert long[0] == "subset,replicate,seed," + ",".join(f'"artist, {i}"' for i in range(9))
    worth, rng = np.arange(9) ** 2.0, np.random.default_rng(0)
    for name in ("long", "held"):
        table = read_subsets(f"{name}.csv")
        rows = [
            [s, r, seed, *map(int, x), x @ worth + rng.normal()]
            for s, r, seed, x in zip(table.subset, table.replicate, table.seed, table.members, strict=True)
        ]
        write(f"{name}_values.csv", ["subset", "replicate", "seed", *table.contributors, "value"], rows)
    shown = run("attribute", "long_values.csv", "--output", "a.csv", "--top", "2")
    found = read_attribution("a.csv")
    assert found.value == pytest.approx(worth, abs=1)
    assert (found.low - 1 < worth).all()
    assert (found.high + 1 > worth).all()
    assert shown.splitlines()[1].split()[:3] == ["1", "artist,", "8"]
    scored = run("lds", "a.csv", "held_values.csv", "--table", "long_values.csv", "--output", "l.csv")
    assert "alpha 0.444444, attribution" in scored or "alpha 0.555556, attribution" in scored
    lds = {row["predictor"]: row for row in csv.DictReader(Path("l.csv").read_text().splitlines())}
    assert float(lds["attribution"]["lds"]) > 0.98
    assert "not estimable" in lds["subset_size"]["note"]
    leaked = [
        *Path("held_values.csv").read_text().splitlines()[:1],
        *Path("long_values.csv").read_text().splitlines()[13:14],
    ]
    Path("leaked.csv").write_text("\n".join(leaked) + "\n")
    assert "leaked.csv: found 1 held-out subset(s) that are also in the design" in run(
        "lds", "a.csv", "leaked.csv", "--table", "long_values.csv"
    )


def test_what_is_expected_without_some_is_said_with_its_interval(run) -> None:  # type: ignore[no-untyped-def]
    rng, names = np.random.default_rng(0), ["a", "b", "c, d", "e", "f", "g"]
    worth = np.array([1.0, 2, 3, 4, 5, 6])
    members = [*np.ones((3, 6), int), *np.zeros((3, 6), int)]
    members += [x for x in rng.integers(0, 2, (60, 6)) if 0 < x.sum() < 6 and list(x) != [0, 0, 1, 1, 1, 1]]
    write("t.csv", [*names, "value"], [[*x, x @ worth + 0.1 * rng.normal()] for x in members])
    shown = run("predict", "t.csv", "--without", "a, b", "--without", "c, d", "--output", "p.csv")
    assert shown.splitlines()[1].startswith("without a, b: 18")
    rows = {row.pop("without"): row for row in csv.DictReader(Path("p.csv").read_text().splitlines())}
    for text, expected in (("a, b", 18), ("c, d", 18)):
        assert (rows[text].pop("transform"), rows[text].pop("note")) == ("none", "")
        found = {key: float(value) for key, value in rows[text].items()}
        assert found["low"] < expected < found["high"] and found["high"] - found["low"] < 1
        assert found["change_low"] < expected - 21 < found["change_high"]
    assert "found 'x', expected the name of a contributor" in run("predict", "t.csv", "--without", "a,x")


def test_the_logarithm_of_a_table_is_credited_and_said_in_percent(run) -> None:  # type: ignore[no-untyped-def]
    """A property that each contributor multiplies: on the logarithm the game is additive."""
    factor, names = np.array([0.5, 0.8, 1.0, 1.25]), ["a", "b", "c", "d"]
    rows = [[*map(int, x), float(np.prod(factor[x])) * 300] for x in games.lattice(4)]
    write("t.csv", [*names, "value"], rows)
    write("l.csv", [*names, "log_value"], [[*row[:-1], float(np.log(row[-1]))] for row in rows])
    shown = run("attribute", "t.csv", "--transform", "log", "--estimator", "exact", "--output", "a.csv")
    assert "values are of the logarithm: one of 0.1 multiplies the property by 1.105" in shown
    found = read_attribution("a.csv")
    assert found.value == pytest.approx(np.log(factor))
    assert found.transform == ["log"] * 4
    run("attribute", "l.csv", "--estimator", "exact", "--output", "b.csv")
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()
    shown = run("predict", "l.csv", "--without", "a", "--output", "p.csv").splitlines()
    assert shown[0] == "with everyone: 150"
    level, low, high, change, *_ = map(float, re.findall(r"[+-]?\d+\.?\d*", shown[1]))
    assert low < 300 < high
    assert level == pytest.approx(300, rel=0.01)
    assert change == pytest.approx(100, abs=1)
    assert "%" in shown[1]
    written = next(csv.DictReader(Path("p.csv").read_text().splitlines()))
    assert (float(written["expected"]), written["transform"]) == (pytest.approx(np.log(level), abs=1e-3), "log")
    # held-out rows in the property's own units are scored on the scale of the values
    held = [[*x, 7, value] for *x, value in rows if sum(x) == 2 for _ in range(2)]
    write("h.csv", [*names, "seed", "value"], held)
    assert "attribution  1.00" in run("lds", "a.csv", "h.csv")
    write("h.csv", [*names, "seed", "log_value"], [[*row[:-1], float(np.log(row[-1]))] for row in held])
    assert "attribution  1.00" in run("lds", "a.csv", "h.csv")
    run("attribute", "t.csv", "--estimator", "exact", "--output", "c.csv")
    assert "h.csv: found the column log_value, expected value" in run("lds", "c.csv", "h.csv")
    assert "l.csv: found logarithms" in run("attribute", "l.csv", "--transform", "log", "--output", "d.csv")
    rows[5][-1] = -1
    write("t.csv", [*names, "value"], rows)
    wrong = run("attribute", "t.csv", "--transform", "log", "--output", "d.csv")
    assert "t.csv: found the value -1 of row 7, expected values above 0" in wrong
    assert not Path("d.csv").exists()
    write("t.csv", [*names, "log_value", "value"], [[*row[:-1], 0, 1.5] for row in rows])
    both = run("attribute", "t.csv", "--output", "d.csv")
    assert "t.csv: found the columns value and log_value, expected one of them" in both


@pytest.mark.parametrize("key", ["game", "cheap"])
def test_options_that_name_tables_of_a_study_are_refused(run, key: str) -> None:  # type: ignore[no-untyped-def]
    write("t.csv", ["a", "b", "value"], [[0, 0, 0.0], [0, 1, 1.0], [1, 0, 2.0], [1, 1, 3.0]])
    assert f"--option: found {key}, which is an option of studies" in run(
        "attribute", "t.csv", "--option", f"{key}=design", "--output", "a.csv"
    )
    assert not Path("a.csv").exists()


def test_groups_pass_credit_down(run) -> None:  # type: ignore[no-untyped-def]
    values = games.random_game(5, 3)
    write("t.csv", [*NAMES, "value"], [[*map(int, x), v] for x, v in zip(games.lattice(5), values, strict=True)])
    write("g.csv", ["contributor", "group"], [["l1", "L"], ["r1", "R"], ["r2", "R"], ["l2", "L"], ["r3", "R"]])
    run("attribute", "t.csv", "--estimator", "owen", "--groups", "g.csv", "--output", "a.csv")
    assert read_attribution("a.csv").value == pytest.approx(games.owen(values, [[0, 1], [2, 3, 4]]), abs=1e-9)


def test_parquet_comes_and_goes_as_csv_does(run) -> None:  # type: ignore[no-untyped-def]
    Path("names.txt").write_text("NA\n007\nnan\nx\n1e3\ny\nz\nu\n")
    design = ("design", "--contributors", "names.txt", "--subsets", "60", "--seed", "4")
    for kind in ("csv", "parquet"):
        run(*design, "--output", f"d.{kind}", "--held-out", f"h.{kind}", "--held-out-subsets", "10")
        frames = {"csv": lambda path: pd.read_csv(path, dtype={"subset": str}), "parquet": pd.read_parquet}
        rng = np.random.default_rng(0)
        for name in ("d", "h"):
            frame = frames[kind](f"{name}.{kind}")
            frame["value"] = frame.iloc[:, 3:].to_numpy() @ np.arange(8.0) ** 2 + rng.normal(size=len(frame))
            write_frame = frame.to_parquet if kind == "parquet" else frame.to_csv
            write_frame(f"{name}v.{kind}", index=False)
    for source, result in (("csv", "csv"), ("parquet", "parquet"), ("parquet", "csv")):
        shown = run("attribute", f"dv.{source}", "--output", f"{source}.{result}")
        assert shown == run("attribute", "dv.csv", "--output", "a.csv")
        scored = run("lds", f"{source}.{result}", f"hv.{source}", "--table", f"dv.{source}", "--output", f"l.{result}")
        assert scored == run("lds", "a.csv", "hv.csv", "--table", "dv.csv")
    assert Path("parquet.csv").read_bytes() == Path("csv.csv").read_bytes()
    # the line of docs/estimators.md
    values = pd.read_csv("csv.csv", dtype={"contributor": str}, keep_default_na=False, na_values=[""])
    assert values.contributor.tolist() == ["NA", "007", "nan", "x", "1e3", "y", "z", "u"]
    assert values.value.tolist() == read_attribution("csv.csv").value.tolist()
    found = pd.read_parquet("parquet.parquet")
    pd.testing.assert_frame_equal(values.astype({"note": str}), found, check_exact=True)
    lds = pd.read_csv("l.csv", dtype={"alpha": str}, keep_default_na=False, na_values=[""])
    pd.testing.assert_frame_equal(lds, pd.read_parquet("l.parquet"), check_exact=True)


def test_groups_may_be_parquet(run) -> None:  # type: ignore[no-untyped-def]
    write("t.csv", [*NAMES, "value"], glove_rows())
    groups = pd.DataFrame({"contributor": NAMES, "group": [1, 1, 2, 2, 2]})
    groups.to_csv("g.csv", index=False)
    groups.to_parquet("g.parquet")
    shown = [run("attribute", "t.csv", "--estimator", "owen", "--groups", f"g.{kind}", "--output", f"{kind}.csv")
             for kind in ("csv", "parquet")]  # fmt: skip
    assert shown[0] == shown[1] and "group 2" in shown[0]


def test_without_pyarrow_nothing_is_computed(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    write("t.csv", [*NAMES, "value"], glove_rows())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert (
        run("attribute", "t.csv", "--output", "a.parquet")
        == "Error: a.parquet: the package pyarrow is not installed, expected it for Parquet"
        " (pip install -e '.[parquet]')"
    )
    Path("names.txt").write_text("\n".join("abcdefgh"))
    design = ("design", "--contributors", "names.txt", "--subsets", "9", "--seed", "0", "--output", "d.csv")
    assert "h.parquet: the package pyarrow" in run(*design, "--held-out", "h.parquet", "--held-out-subsets", "4")
    assert not Path("d.csv").exists()


def without(*rows: int) -> list[list[object]]:
    return [row for i, row in enumerate(glove_rows()) if i not in rows]


REFUSED = {
    "incomplete": ([*NAMES, "value"], without(3, 5, 9), "exact", "t.csv: estimator exact: 3 of the 2^5 subsets of 5 contributors are missing"),
    "no full row": ([*NAMES, "value"], without(31), "ridge", "t.csv: found no row of everyone (all 1)"),
    "no empty row": ([*NAMES, "value"], without(0), "ridge", "t.csv: found no row of the empty subset (all 0)"),
    "constant": ([*NAMES, "value"], [[*row[:-1], 2.5] for row in glove_rows()], "ridge", "t.csv: found the value 2.5 in every row"),
    "a name twice": (["l1", "l1", "r1", "r2", "r3", "value"], glove_rows(), "ridge", "t.csv: found the column 'l1' twice"),
    "no value": ([*NAMES, "worth"], glove_rows(), "ridge", "t.csv: found the header"),
    "missing value": ([*NAMES, "value"], [*without(7), [1, 1, 1, 0, 0, ""]], "ridge", "row 33, column value: found '', expected a number"),
    "text": ([*NAMES, "value"], [*without(7), [1, 1, 1, 0, 0, "high"]], "ridge", "row 33, column value: found 'high', expected a number"),
    "infinite": ([*NAMES, "value"], [*without(7), [1, 1, 1, 0, 0, "inf"]], "ridge", "row 33, column value: found inf, expected a finite number"),
    "a share of a contributor": ([*NAMES, "value"], [*without(7), [1, 0.5, 1, 0, 0, 1]], "ridge", "row 33, column l2: found '0.5', expected 0 or 1"),
    "not the kernel's sizes": ([*NAMES, "value"], [row for row in glove_rows() for _ in range(20)], "paper", "estimator paper: found 200 of 600 subsets of 1 or 4 contributors, expected about 360"),
    "not nested": ([*NAMES, "value"], glove_rows(), "permutation", "does not extend the one before"),
    "one is never left out": ([*NAMES, "value"], without(30), "leave-one-out", "no row of everyone but one for 1 contributor(s) such as l1"),
    "only the ends": ([*NAMES, "value"], [glove_rows()[0], glove_rows()[31]], "paper", "t.csv: found only rows of everyone and of no one, expected proper subsets"),
    "a tiny unit": ([*NAMES, "value"], [[*row[:-1], row[-1] * 1e-99] for row in glove_rows()], "ridge", "t.csv: found values that span 2e-99, expected a span between"),
    "a fraction of a seed": (["seed", *NAMES, "value"], [[0.5, *row] for row in glove_rows()], "ridge", "row 2, column seed: found 0.5, expected a whole number"),
    "no groups": ([*NAMES, "value"], glove_rows(), "owen", "--groups: not found"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_table_is_one_sentence_and_no_file(run, name: str) -> None:  # type: ignore[no-untyped-def]
    header, rows, estimator, complaint = REFUSED[name]
    write("t.csv", header, rows)
    message = run("attribute", "t.csv", "--estimator", estimator, "--output", "a.csv")
    assert message.startswith("Error: ")
    assert complaint in message
    assert len(message.splitlines()) == 1
    assert not Path("a.csv").exists()


def test_other_mistakes_are_one_sentence(run) -> None:  # type: ignore[no-untyped-def]
    write("t.csv", [*NAMES, "value"], glove_rows())
    attribute = ("attribute", "t.csv", "--output", "a.csv")
    assert "--top: found 5" in run(*attribute, "--top", "5")
    assert "beta-shapley: alpha: found -1" in run(*attribute, "--estimator", "beta-shapley", "--option", "alpha=-1")
    assert "gaussian-process: colour: found an unknown key" in run(*attribute, "--option", "colour=1")
    assert (
        run("attribute", "nowhere.csv", "--output", "a.csv")
        == "Error: nowhere.csv: no such file or directory, expected a CSV file"
    )
    assert "found the same file twice" in run("attribute", "t.csv", "--output", "./t.csv")
    assert run(*attribute, "--option", "alpha=[") == "2"  # argparse's own usage message
    for text, complaint in (
        ("a\nb\na \n", "found 'a' twice"),
        ("a\n\n", "found 1 name(s)"),
        ("a\nvalue\n", "found 'value', expected two names or more"),
    ):
        Path("names.txt").write_text(text)
        design = ("design", "--contributors", "names.txt", "--subsets", "9", "--seed", "0", "--output", "d.csv")
        assert complaint in run(*design)
    assert not Path("d.csv").exists()
    Path("names.txt").write_text("a\nb\nc d\r\n\ne\nf\ng\n")
    assert "9 subsets" in run(*design)
    assert read_subsets("d.csv").contributors == ["a", "b", "c d", "e", "f", "g"]
    assert "found a file, expected a new name" in run(*design)
    held = run(*design[:-1], "e.csv", "--held-out", "h.csv")
    assert "--held-out-subsets: found 24, expected at most 10" in held
    assert "--held-out-alphas: found nan" in run(*design[:-1], "e.csv", "--held-out-alphas", "nan")
    assert not Path("e.csv").exists()


def test_rows_by_other_names_are_the_same_held_out_subsets(run) -> None:  # type: ignore[no-untyped-def]
    rows = [row for row in glove_rows() if sum(map(int, row[:5])) == 2]
    write("t.csv", [*NAMES, "value"], glove_rows())
    run("attribute", "t.csv", "--estimator", "exact", "--output", "a.csv")
    noise = np.random.default_rng(0).normal(size=20)
    twice = [[*row[:-1], row[-1] + e] for row, e in zip([*rows, *rows], noise, strict=True)]
    write("h.csv", [*NAMES, "value"], twice)
    write("n.csv", ["subset", *NAMES, "value"], [[i, *row] for i, row in enumerate(twice)])
    assert run("lds", "a.csv", "h.csv") == run("lds", "a.csv", "n.csv")
    assert "(10 subsets x 2 seeds)" in run("lds", "a.csv", "h.csv")


@pytest.mark.parametrize(
    ("floor", "images", "said"),
    [
        ("0.4", "0.1", "better than chance"),
        ("-0.3", "0.1", "are not shown to rank alike"),
        ("0.4", "0.7", "something simpler ranks retrained models as well"),
    ],
)
def test_the_terminal_judges_as_the_report_does(tmp_path: Path, floor: str, images: str, said: str) -> None:
    header = ["alpha", "predictor", "lds", "low", "high", "presence"]
    rows = [
        ["0.5", "ridge", "0.5", "0.2", "0.8", "0.3"],
        ["0.5", "noise_floor", "0.45", floor, "0.6", ""],
        ["0.5", "subset_size", "", "", "", ""],
        ["0.5", "image_count", images, "", "", ""],
    ]
    write(str(tmp_path / "lds.csv"), header, rows)
    score, judged = lds_lines(tmp_path / "lds.csv", "ridge")
    assert "0.50 [0.20, 0.80]" in score
    assert said in judged
