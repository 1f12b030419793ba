"""Removing what a study made, or what came from one contributor: nothing else goes, and nothing of it stays."""

import base64
import json
import re
from pathlib import Path

import pytest
import yaml
from snakemake.persistence.file import FilePersistence
from studies import tiny_config

from diffusion_credit.base.files import MANIFEST, digest_of, digest_of_file, read_json, write_json


class Records:
    """What Snakemake's place of a record asks of its owner."""

    def _fetch_max_len(self, folder: str) -> int:
        return 255


def test_cleaning_removes_what_a_study_made_and_nothing_else(run) -> None:  # type: ignore[no-untyped-def]
    Path("study.yaml").write_text(yaml.safe_dump(tiny_config()), encoding="utf-8")
    assert "results/tiny: not found" in run("clean", "study.yaml")
    for name in (
        "results/tiny/models/a/x.safetensors",
        "results/tiny/report.html",
        "results/tiny/index/index.json",
        "results/tiny_2/report.html",
        "raw/a.png",
    ):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x" * 1000)
    long = "results/tiny/" + "x" * 300
    for of in ("results/tiny/report.html", long, "results/tiny_2/report.html"):  # as Snakemake's own class places them
        record = Path(FilePersistence._record_path.__get__(Records())(".snakemake/metadata", of))
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text("{}")
    said = run("clean", "study.yaml")
    assert "models" in said and "Nothing was removed. With --yes, results/tiny is removed" in said
    assert Path("results/tiny/report.html").is_file()
    Path(".snakemake/locks").mkdir()
    Path(".snakemake/locks/0.input.lock").touch()
    assert "found the lock of a Snakemake" in run("clean", "study.yaml", "--yes")
    Path(".snakemake/locks/0.input.lock").unlink()
    assert "All of it runs again with: snakemake" in run("clean", "study.yaml", "--yes")
    left = sorted(str(path) for path in Path().rglob("*") if path.is_file())
    (record,) = [path for path in left if path.startswith(".snakemake")]
    assert base64.urlsafe_b64decode(Path(record).name).decode() == "results/tiny_2/report.html"
    assert left == [record, "raw/a.png", "results/tiny_2/report.html", "study.yaml"]


def test_cleaning_keeps_what_the_study_was_given(run) -> None:  # type: ignore[no-untyped-def]
    write_json(Path("results/tiny/index/index.json"), {})
    Path("results/tiny/raw/ana").mkdir(parents=True)
    config = {**tiny_config(), "data": {"source": "image_folder", "path": "results/tiny/raw", "size": 8}}
    Path("study.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    assert "found results/tiny/raw in it, which the study was given" in run("clean", "study.yaml", "--yes")
    Path("photos/logs").mkdir(parents=True)  # a folder of another program
    Path("photos/a.png").touch()
    Path("results/other").symlink_to("../photos")
    Path("study.yaml").write_text(yaml.safe_dump({**tiny_config(), "study": "other"}), encoding="utf-8")
    assert "found nothing that a study makes" in run("clean", "study.yaml", "--yes")
    assert Path("photos/a.png").exists() and Path("results/tiny/raw/ana").exists()


def test_a_removal_that_was_cut_leaves_nothing_to_go_on_from(run, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    Path("study.yaml").write_text(yaml.safe_dump(tiny_config()), encoding="utf-8")
    write_json(Path("results/tiny/index/index.json"), {})
    Path("results/tiny/report.html").touch()
    with monkeypatch.context() as cut:
        cut.setattr("shutil.rmtree", lambda path, ignore_errors=False: None if ignore_errors else 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run("clean", "study.yaml", "--yes")
    assert not Path("results/tiny").exists()
    write_json(Path("results/tiny/index/index.json"), {})  # made again
    run("clean", "study.yaml", "--yes")
    assert not list(Path("results").iterdir())


ROWS = {"a-0": ["Ana"], "b-0": ["Bo"], "c-0": ["Ana", "Bo"], "d-0": ["Bo", "Jos\u00e9"]}


def make_study(results: Path) -> None:
    """A study's results as far as cleaning reads them: of some subsets, retrained models and what they drew."""
    for file, text in {
        "index/index.json": json.dumps({"contributors": [{"name": name} for name in ("Ana", "Bo", "Jos\u00e9")]}),
        "weights/sd/manifest.json": "{}",
        "report.html": "Ana",
        "designs/held_out_0.5/0000.csv": "",
    }.items():
        (results / file).parent.mkdir(parents=True, exist_ok=True)
        (results / file).write_text(text, encoding="utf-8")
    for regime in ("retrain", "sparse"):
        where = f"{regime}/held_out_0.5/0000"
        for row, members in ROWS.items():
            model, images = (results / stage / where / row / MANIFEST for stage in ("models", "images"))
            write_json(model, {"provenance": {"members": members}})
            write_json(images, {"provenance": {"model": digest_of_file(model)}})
        for stage in ("models", "images"):
            for name in (MANIFEST, "wanted.json"):
                write_json(results / stage / where / name, {})


def left(results: Path = Path("results/tiny")) -> list[str]:
    """What is there, but for what announces collections."""
    files = (path.relative_to(results) for path in results.rglob("*") if path.is_file())
    return sorted(str(path.parent) for path in files if path.name == MANIFEST and path.parent.name != "0000")


def kept(*rows: str) -> list[str]:
    where = "retrain/held_out_0.5/0000"
    return [*(f"{stage}/{where}/{row}" for stage in ("images", "models") for row in rows), "weights/sd"]


MOVES = 13  # of what cleaning of Ana puts aside
CLEAN = ("clean", "study.yaml", "--contributor")


@pytest.fixture
def made() -> Path:
    Path("study.yaml").write_text(yaml.safe_dump(tiny_config()), encoding="utf-8")
    results = Path("results/tiny")
    make_study(results)
    return results


def test_cleaning_of_a_contributor_keeps_what_they_are_not_in(run, made: Path) -> None:  # type: ignore[no-untyped-def]
    every = left()
    assert "found nothing of 'Cem'" in run(*CLEAN, "Cem", "--yes")
    assert re.search(r"models/retrain/held_out_0.5 +2 without Ana", run(*CLEAN, "Ana"))
    assert left() == every
    said = run(*CLEAN, "Ana", "--yes")
    assert 'changes: [{"left": ["Ana"]}]' in said
    assert left() == kept("b-0", "d-0")
    assert not (made / "models/retrain/held_out_0.5/0000" / MANIFEST).exists()
    assert not [file for file in made.rglob("*") if file.is_file() and "Ana" in file.read_text(encoding="utf-8")]
    # another one, in another form of Unicode, before anything has run again
    assert "found nothing of 'Ana'" in run(*CLEAN, "Ana", "--yes")
    assert "Jos\u00e9" in run(*CLEAN, "Jose\u0301", "--yes")
    assert left() == kept("b-0")
    assert read_json(made / "cleaned.json")["contributors"] == digest_of(["Ana", "Bo", "Jos\u00e9"])
    assert [path.name for path in Path("results").iterdir()] == ["tiny"]
    assert "Removed results/tiny" in run("clean", "study.yaml", "--yes")


def test_cleaning_keeps_nothing_that_is_not_proved(run, made: Path) -> None:  # type: ignore[no-untyped-def]
    """Images of another model than the one that is there, and models of an older version, which name no members."""
    where = "retrain/held_out_0.5/0000"
    write_json(made / "images" / where / "b-0" / MANIFEST, {"provenance": {"model": "another"}})
    write_json(made / "models" / where / "d-0" / MANIFEST, {"provenance": {}})
    run(*CLEAN, "Ana", "--yes")
    assert left() == [f"models/{where}/b-0", "weights/sd"]


def test_cleaning_of_a_contributor_stops_where_it_cannot_remove_all(run, made: Path) -> None:  # type: ignore[no-untyped-def]
    every = left()
    Path("disk").mkdir()
    (made / "features").symlink_to(Path("disk").resolve())
    assert "features: found a link out of results/tiny" in run(*CLEAN, "Ana", "--yes")
    (made / "features").unlink()
    (made / "autoencoders/own").mkdir(parents=True)
    assert "autoencoders, which was trained on everyone" in run(*CLEAN, "Ana", "--yes")
    assert left() == every


@pytest.mark.parametrize("moves", range(14))
def test_a_cleaning_that_was_cut_is_gone_on_with(run, made: Path, monkeypatch, moves: int) -> None:  # type: ignore[no-untyped-def]
    """At every moment: nothing of Ana is left after the next try, and all that may stay does."""
    rename, done = Path.rename, []

    def cut(path: Path, to: Path) -> Path:
        done.append(path)
        return rename(path, to) if len(done) <= moves else 1 / 0  # type: ignore[return-value]

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", cut)
        if moves == MOVES:  # all is put aside, and nothing is deleted
            patched.setattr("shutil.rmtree", lambda path, ignore_errors=False: None if ignore_errors else 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(*CLEAN, "Ana", "--yes")
    assert len(done) == min(moves + 1, MOVES)
    run(*CLEAN, "Ana" if moves < MOVES else "Bo", "--yes")
    assert left() == (kept("b-0", "d-0") if moves < MOVES else ["weights/sd"])
    files = [file for file in Path("results").rglob("*") if file.is_file()]
    assert not [file for file in files if "Ana" in file.read_text(encoding="utf-8")]
    assert [path.name for path in Path("results").iterdir()] == ["tiny"]
