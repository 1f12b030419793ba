"""What `status` and `show` say after an edit: the numbers that one counts by hand; after a run all is up to date.

The tiny study, at most 8 rows a batch: sampled 8, anchors 4, held-out 4 subsets x 2, counterfactual 6 a property.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from studies import Workspace

pytestmark = pytest.mark.workflow
PROPERTIES = ["inception_score", "fid", "cluster_entropy"]
OWN = 6  # counterfactual models of a property
SPARSE, FINETUNE, RETRAIN = 8 + 4 + 8, 8, 4 + 8 + 3 * OWN
EVERYONE = 3  # full, pruned, re-fitted
OF_PROPERTY = 1 + EVERYONE + SPARSE + FINETUNE + RETRAIN - 2 * OWN  # with the data, without the others' counterfactual
FEATURES = OF_PROPERTY + 2 * OWN
TABLES = 6  # of the evaluation of a property: lds, league, budget, noise, fidelity, counterfactual
ALL = 3 * TABLES + 3  # and runtime, models, learning
Counts = dict[str, int]


def finished_study() -> dict[str, Counts]:
    """Stage -> what of it is how far; all done."""
    counts = {"index": 1, "designs": 4 + 3, **{f"{kind}, {name}": 1 for kind in ("models", "images") for name in
              ("full", "pruned", "refit")}}  # fmt: skip
    for kind in ("models", "images"):
        counts |= {f"{kind}, sparse": SPARSE, f"{kind}, retrain": RETRAIN, f"{kind}, finetune": FINETUNE}
    counts |= {"features, classifier": FEATURES, **{f"properties, {name}": OF_PROPERTY for name in PROPERTIES}}
    counts |= {"attribution": 3 * 2, "evaluation": ALL, "report": 4}
    return {name: {"total": count, "done": count} for name, count in counts.items()}


def command(workspace: Workspace, name: str) -> str:
    workspace.command()  # writes the config
    line = [sys.executable, "-c", "from diffusion_credit.cli import main; main()", name, "study.yaml"]
    return subprocess.run(line, cwd=workspace.folder, capture_output=True, text=True, check=True).stdout


def status(workspace: Workspace) -> tuple[dict[str, Counts], str]:
    text = command(workspace, "status")
    found = {}
    for stage, done, total, notes in re.findall(r"^(\S.*?) +\[.{30}\] +(\d+) of (\d+) *(.*)$", text, re.MULTILINE):
        counts = {"total": int(total), "done": int(done)}
        for note in filter(None, notes.split(", ")):
            count, _, what = note.partition(" ")
            counts[what] = int(count)
        found[stage] = counts
    return found, text


def assert_shown_as_up_to_date(workspace: Workspace) -> None:
    text = command(workspace, "show")
    assert text.count("  (up to date)\n") == 3 * 2
    assert "out of date" not in text and "changed" not in text


def traces(folder: Path) -> dict[str, tuple[int, int]]:
    """Path -> time and size of everything in a folder."""
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in folder.rglob("*")}


def changed(done: int, **others: int) -> Counts:
    counts = {key.replace("_", " "): count for key, count in others.items()}
    return {"total": done + sum(counts.values()), "done": done, **counts}


def longer_list(workspace: Workspace) -> dict[str, Counts]:
    """A fifth held-out subset: 2 rows, in a second batch, in each of three regimes."""
    workspace.config["evaluation"]["lds"]["subsets"] = 5
    return {
        "designs": changed(7, missing=1),
        **{
            f"{kind}, {regime}": changed(count, missing=2)
            for kind in ("models", "images")
            for regime, count in (("sparse", SPARSE), ("retrain", RETRAIN), ("finetune", FINETUNE))
        },
        "features, classifier": changed(FEATURES, missing=6),
        **{f"properties, {name}": changed(OF_PROPERTY, missing=6) for name in PROPERTIES},
        "evaluation": changed(3 + 2, out_of_date=3 * (TABLES - 1) + 1),  # not counterfactual, models, learning
        "report": changed(1, out_of_date=3),  # all but the payout
    }


def training_option(workspace: Workspace) -> dict[str, Counts]:
    """Other sparse models, hence other values; whether other counterfactual models their ranks will tell."""
    workspace.config["regimes"]["sparse"]["steps"] = 31
    return {
        "designs": changed(4, out_of_date=3),
        **{f"{kind}, sparse": changed(0, out_of_date=SPARSE) for kind in ("models", "images")},
        **{f"{kind}, retrain": changed(RETRAIN - 3 * OWN, to_check=3 * OWN) for kind in ("models", "images")},
        "features, classifier": changed(FEATURES - SPARSE - 3 * OWN, out_of_date=SPARSE, to_check=3 * OWN),
        **{
            f"properties, {name}": changed(OF_PROPERTY - SPARSE - OWN, out_of_date=SPARSE, to_check=OWN)
            for name in PROPERTIES
        },
        "attribution": changed(0, out_of_date=6),
        "evaluation": changed(2, out_of_date=ALL - 2),  # all but models and learning, which are of everyone
        "report": changed(0, out_of_date=4),
    }


def property_option(workspace: Workspace) -> dict[str, Counts]:
    """Every value of one property is measured anew."""
    workspace.config["properties"]["cluster_entropy"]["clusters"] = 4
    return {
        "designs": changed(6, out_of_date=1),
        **{f"{kind}, retrain": changed(RETRAIN - OWN, to_check=OWN) for kind in ("models", "images")},
        "features, classifier": changed(FEATURES - OWN, to_check=OWN),
        "properties, cluster_entropy": changed(0, out_of_date=OF_PROPERTY),
        "attribution": changed(4, out_of_date=2),
        "evaluation": changed(2 * TABLES + 1, out_of_date=TABLES + 2),
        "report": changed(1, out_of_date=3),
    }


def code(workspace: Workspace) -> dict[str, Counts]:
    """A helper that three rules of the evaluation use, for four tables."""
    file = workspace.folder / "workflow/scripts/diffusion_credit/evaluation/lds.py"
    text = file.read_text()
    assert "sign * images" in text
    file.write_text(text.replace("sign * images", "images * sign", 1))
    return {"evaluation": changed(ALL - 3 * 4, out_of_date=3 * 4), "report": changed(1, out_of_date=3)}


# What is edited, how many of the nine tables that `show` prints are then out of date, and what it says of the reason.
EDITS: list[tuple[Callable[[Workspace], dict[str, Counts]], int, str]] = [
    (longer_list, 3, "evaluation.lds.subsets was 4, is 5"),
    (training_option, 9, "regimes.sparse.steps was 30, is 31"),
    (property_option, 3, "clusters was 3, is 4"),
    (code, 3, "its code or raw files have changed"),
]


@pytest.fixture
def edited(finished: Workspace, tmp_path: Path) -> Iterator[Workspace]:
    workspace = finished.copy(tmp_path / "copy")
    yield workspace
    shutil.rmtree(workspace.folder)


def test_a_finished_study_is_up_to_date_and_being_asked_leaves_no_trace(edited: Workspace) -> None:
    """Even while another Snakemake holds the lock."""
    locks = edited.folder / ".snakemake/locks"
    locks.mkdir(exist_ok=True)
    (locks / "0.output.lock").write_text(f"{edited.results.relative_to(edited.folder)}/report.html\n")
    assert "Directory cannot be locked" in edited.run().stdout
    before = traces(edited.folder)
    found, text = status(edited)
    assert found == finished_study()
    assert text.startswith("results/tiny: everything is up to date\n")
    assert "time left" not in text
    assert_shown_as_up_to_date(edited)
    after = traces(edited.folder)
    config = str(edited.folder / "study.yaml")  # which the test writes
    assert {path for path, trace in after.items() if before.get(path) != trace} <= {config}
    assert before.keys() == after.keys()


@pytest.mark.parametrize(("edit", "tables", "reason"), EDITS, ids=[edit.__name__ for edit, _, _ in EDITS])
def test_an_edit_is_counted_as_by_hand(
    edited: Workspace, edit: Callable[[Workspace], dict[str, Counts]], tables: int, reason: str
) -> None:
    expected = finished_study() | edit(edited)
    found, text = status(edited)
    assert found == expected
    assert re.search(rf"^changed: .*{re.escape(reason)}", text, re.MULTILINE)
    shown = command(edited, "show")
    first, *_, last = shown.splitlines()
    assert first == last
    assert first.startswith(f"Of these 9 tables, {tables} are out of date. To bring them up to date: snakemake ")
    assert len(set(re.findall(r"(results/\S+\.csv)  \(out of date\)", shown))) == tables
    assert re.search(rf"^changed: .*{re.escape(reason)}", shown, re.MULTILINE)


def test_a_batch_that_gets_more_rows_keeps_those_that_it_has(edited: Workspace) -> None:
    """As if a list of 6 held-out rows, of which there are models in one regime, had become one of 8."""
    design = edited.results / "designs/held_out_0.5/0000.csv"
    (record,) = (
        file
        for file in (edited.folder / ".snakemake/metadata").rglob("*")
        if file.is_file() and base64.b64decode(file.name).decode() == str(design.relative_to(edited.folder))
    )
    known = json.loads(record.read_text())
    known["params"] = ["6" if param == "8" else param for param in known["params"]]
    record.write_text(json.dumps(known))
    manifest = edited.results / "models/sparse/held_out_0.5/0000/manifest.json"
    times = manifest.stat()
    made = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**made, "order": made["order"][:6]}))
    os.utime(manifest, ns=(times.st_atime_ns, times.st_mtime_ns))
    found, text = status(edited)
    assert found["designs"] == changed(6, out_of_date=1)
    assert found["models, sparse"] == changed(SPARSE - 2, missing=2)
    for stage in ("models, retrain", "models, finetune", "images, sparse", "features, classifier", "properties, fid"):
        assert found[stage] == finished_study()[stage]
    assert re.search(r"^time left: .*models, sparse 2 x ", text, re.MULTILINE)


def test_after_a_run_all_is_up_to_date_again(edited: Workspace) -> None:
    """The time left before it is that of the new rows, by the seconds that those of the same regime took."""
    longer_list(edited)
    _, text = status(edited)
    parts = dict(
        re.findall(r"(\w+, \w+) (\d+ x \S+) s", next(s for s in text.splitlines() if s.startswith("time left")))
    )
    for kind in ("models", "images"):
        for regime in ("sparse", "retrain", "finetune"):
            seconds = [json.loads(file.read_text()) for file in (edited.results / kind / regime).rglob("seconds.json")]
            assert parts.pop(f"{kind}, {regime}") == f"2 x {sum(seconds) / len(seconds):.3g}"
    assert parts.keys() == {"features, classifier"}
    edited.finish()
    expected = finished_study()
    for stage, counts in longer_list(edited).items():
        expected[stage] = dict.fromkeys(("total", "done"), counts["total"])
    found, text = status(edited)
    assert found == expected
    assert text.startswith("results/tiny: everything is up to date\n")
    assert_shown_as_up_to_date(edited)


def test_what_a_job_finished_before_it_was_cut_is_out_of_date_after_an_edit(edited: Workspace) -> None:
    batch = edited.results / "models/sparse/sampled/0000"
    (batch / "manifest.json").unlink()
    for name in sorted(json.loads((batch / "wanted.json").read_text()))[:3]:
        shutil.rmtree(batch / name)
    edited.config["regimes"]["sparse"]["steps"] = 31
    found, text = status(edited)
    assert found["models, sparse"] == changed(0, out_of_date=SPARSE - 3, missing=3)
    assert re.search(r"^time left unknown.*: models, sparse", text, re.MULTILINE)


def test_what_was_deleted_and_is_not_needed_is_not_missing(edited: Workspace) -> None:
    for kind in ("models", "images"):
        shutil.rmtree(edited.results / kind / "sparse/sampled")
    found, text = status(edited)
    for kind in ("models", "images"):
        assert found[f"{kind}, sparse"] == {"total": SPARSE, "done": SPARSE - 8, "deleted and not needed any more": 8}
    assert text.startswith("results/tiny: everything is up to date\n")


def test_what_snakemake_refuses_is_said(edited: Workspace) -> None:
    edited.config["evaluation"]["lds"]["subsets"] = 6
    found, text = status(edited)
    assert found["models, retrain"] == changed(RETRAIN, missing=2 * 2)
    complaint = "Snakemake says: config: evaluation.lds.subsets: found 6, expected at most 5, half of the subsets of 2"
    assert f"What is out of date is unknown, and counted as done. {complaint}" in text


def test_without_snakemakes_word_the_files_are_counted(finished: Workspace, tmp_path: Path) -> None:
    shutil.copytree(finished.results, tmp_path / "results/tiny")
    other: Any = Workspace.__new__(Workspace)
    other.folder, other.config = tmp_path, finished.config
    found, text = status(other)
    assert found == finished_study()
    assert "unknown, and counted as done. Snakefile: not found" in text
    assert command(other, "show").startswith("It is unknown whether these tables are up to date. Snakefile: not found")
