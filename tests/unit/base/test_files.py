"""Files are complete or absent, tables say what is wrong, and code is known by what it does."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diffusion_credit.base import code as code_module
from diffusion_credit.base import files
from diffusion_credit.base.collection import announce_collection, entries, fill
from diffusion_credit.base.errors import Stopped, UserError
from diffusion_credit.base.files import announce, is_complete, read_manifest, replacing, write_json
from diffusion_credit.base.tables import Subsets, read_subsets, write_subsets

PACKAGE = Path(code_module.__file__).parents[1]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a.json") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "1\n"
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", float("nan"))


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for name, target in (("a.json", "other/a.json"), ("new.json", "other/new.json"), ("b.json", "a.json")):
        (tmp_path / name).symlink_to(target)
    (tmp_path / "other/a.json").write_text("old")
    for number, name in enumerate(("a.json", "new.json", "b.json")):  # new.json led nowhere, b.json is a link to a link
        write_json(tmp_path / name, number)
        assert (tmp_path / name).is_symlink()
    assert {file.name: file.read_text() for file in (tmp_path / "other").iterdir()} == {
        "a.json": "2\n", "new.json": "1\n",
    }  # fmt: skip


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE, text=True) as reader:
        write_json(tmp_path / "pipe", [1, 2])
        assert reader.communicate()[0] == "[\n 1,\n 2\n]\n"
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode) and len(list(tmp_path.iterdir())) == 1


def test_an_open_file_is_gone_on_with_and_a_device_stays_one(tmp_path: Path) -> None:
    script = (
        "from diffusion_credit.base.files import write_json; print('said');"
        "[write_json(x, 7) for x in ('/dev/stdout', '/dev/null', '/proc/self/fd/1')]; print('more')"
    )
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    (tmp_path / "out.txt").write_text("before\n")
    with (tmp_path / "out.txt").open("a") as out:
        subprocess.run([sys.executable, "-c", script], stdout=out, check=True, env=environment)
    assert (tmp_path / "out.txt").read_text() == "before\nsaid\n7\n7\nmore\n"
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="no memory as a file system")
def test_memory_as_a_file_system_is_no_device() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        write_json(f"{folder}/a/b.json", 1)
        first = os.stat(f"{folder}/a/b.json").st_ino
        with open(f"{folder}/a/b.json") as reader:
            write_json(f"{folder}/a/b.json", 2)
            assert reader.read() == "1\n"  # who has it open never sees half of the new one
        assert os.stat(f"{folder}/a/b.json").st_ino != first


def test_a_full_disk_is_one_sentence_for_weights_and_arrays(tmp_path: Path) -> None:
    script = """
import resource, signal, sys, numpy as np
from safetensors.numpy import save_file
from diffusion_credit.base.errors import Stopped, UserError
from diffusion_credit.base.files import replacing
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
array = np.zeros(100_000)
writers = {"a.npy": lambda p: np.save(p.open("wb"), array), "b.safetensors": lambda p: save_file({"x": array}, p)}
for name, write in writers.items():
    try:
        with replacing(sys.argv[1] + "/" + name) as path:
            write(path)
    except UserError as error:
        print(error)
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    process = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    lines = process.stdout.splitlines()
    assert [line.split(": could not be written")[0].split("/")[-1] for line in lines] == ["a.npy", "b.safetensors"]
    assert not list(tmp_path.iterdir())


def test_an_entry_that_was_edited_by_hand_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "a" / "x.json", 1)
    announce(tmp_path / "a", ["x.json"])
    announce_collection(tmp_path, ["a"])
    assert list(entries(tmp_path / "manifest.json")) == ["a"]
    write_json(tmp_path / "a" / "x.json", 2)
    announce(tmp_path / "a", ["x.json"])
    with pytest.raises(UserError, match="changed since"):
        entries(tmp_path / "manifest.json")


def test_a_manifest_notices_what_happened_to_its_files(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("data")
    announce(tmp_path, ["x"], provenance={"seed": 1})
    assert is_complete(tmp_path, {"seed": 1})
    assert not is_complete(tmp_path, {"seed": 2})
    (tmp_path / "x").write_text("Data")
    assert not is_complete(tmp_path, {"seed": 1})
    with pytest.raises(UserError, match="digest"):
        read_manifest(tmp_path)
    (tmp_path / "x").unlink()
    with pytest.raises(UserError, match="not found"):
        read_manifest(tmp_path)


def filler(wanted: dict[str, dict[str, int]], made: list[str]) -> Callable[[str, Path, Path], None]:
    def make(name: str, folder: Path, state: Path) -> None:
        assert not list(folder.iterdir())
        (folder / "x").write_text(name)
        announce(folder, ["x"], provenance=wanted[name])
        made.append(name)

    return make


def test_a_collection_goes_on_where_it_stopped(tmp_path: Path) -> None:
    wanted = {name: {"seed": seed} for seed, name in enumerate(["a", "b", "c"])}
    made: list[str] = []

    def fails_at_c(name: str, folder: Path, state: Path) -> None:
        filler(wanted, made)(name, folder, state)
        if name == "c":
            raise Stopped

    with pytest.raises(Stopped):
        fill(tmp_path, wanted, fails_at_c)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "wanted.json"]
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "half").write_text("half")
    made.clear()
    assert fill(tmp_path, wanted, filler(wanted, made)) == 1 and made == ["c"]
    assert not (tmp_path / "c" / "half").exists()
    wanted["a"] = {"seed": 7}
    made.clear()
    assert fill(tmp_path, wanted, filler(wanted, made)) == 1 and made == ["a"]
    assert list(entries(tmp_path / "manifest.json")) == ["a", "b", "c"]
    before = (tmp_path / "manifest.json").stat().st_mtime_ns
    assert fill(tmp_path, wanted, filler(wanted, made)) == 0
    assert (tmp_path / "manifest.json").stat().st_mtime_ns == before


def test_of_two_jobs_that_make_the_same_the_first_to_finish_an_entry_wins(tmp_path: Path) -> None:
    """The second runs from start to end while the first is in the middle of an entry, which it tries last."""
    wanted = {name: {"seed": 1} for name in ["a", "b", "c"]}
    first: list[str] = []
    second: list[str] = []

    def interrupted(name: str, folder: Path, state: Path) -> None:
        filler(wanted, first)(name, folder, state)
        if name == "b":
            (folder / "seconds.json").write_text("first")
            assert fill(tmp_path, wanted, filler(wanted, second)) == 2

    fill(tmp_path, wanted, interrupted)
    assert (first, second) == (["a", "b"], ["c", "b"])
    assert not (tmp_path / "b" / "seconds.json").exists()
    assert list(entries(tmp_path / "manifest.json")) == ["a", "b", "c"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c", "manifest.json", "wanted.json"]


def test_a_job_of_older_options_stops_and_leaves_the_newer_result_alone(tmp_path: Path) -> None:
    """It fails, unless the newer job has ended: Snakemake would delete that one's manifest."""
    old, new = {"a": {"seed": 1}, "b": {"seed": 1}}, {"a": {"seed": 2}, "b": {"seed": 2}}

    def newer_begins(name: str, folder: Path, state: Path) -> None:
        filler(new, [])(name, folder, state)
        if name == "b":
            raise Stopped

    def newer_ends(name: str, folder: Path, state: Path) -> None:
        filler(new, [])(name, folder, state)

    for newer, stops in ((newer_begins, pytest.raises(UserError, match="began later")), (newer_ends, nullcontext())):

        def interrupted(name: str, folder: Path, state: Path, newer: Callable[[str, Path, Path], None] = newer) -> None:
            filler(old, [])(name, folder, state)
            with suppress(Stopped):
                fill(tmp_path, new, newer)

        with stops:
            fill(tmp_path, old, interrupted)
    for folder, _ in entries(tmp_path / "manifest.json").values():
        assert is_complete(folder, {"seed": 2})


def test_a_job_that_slept_before_its_move_does_not_undo_a_newer_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older job is stopped, as by a suspending scheduler, after its last look at what is wanted."""
    old, new = {"a": {"seed": 1}}, {"a": {"seed": 2}}
    rename = os.rename

    def slept(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "rename", rename)
        fill(tmp_path, new, filler(new, []))
        rename(source, target)

    monkeypatch.setattr(os, "rename", slept)
    fill(tmp_path, old, filler(old, []))
    assert is_complete(tmp_path / "a", {"seed": 2})
    assert list(entries(tmp_path / "manifest.json")) == ["a"]


def test_a_complete_entry_that_came_at_the_last_moment_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs of the same options over a stale entry; on a GPU their bytes may differ."""
    wanted = {"a": {"seed": 1}}
    fill(tmp_path, {"a": {"seed": 0}}, filler({"a": {"seed": 0}}, []))
    seen = files.is_complete

    def other_job(folder: Path, provenance: dict[str, int]) -> bool:
        found = seen(folder, provenance)
        if folder.name == "a" and (tmp_path / ".mine").exists():
            monkeypatch.setattr(files, "is_complete", seen)
            fill(tmp_path, wanted, filler(wanted, []))
            (tmp_path / "a" / "seconds.json").write_text("the other's")
        return found

    def make(name: str, folder: Path, state: Path) -> None:
        filler(wanted, [])(name, folder, state)
        (tmp_path / ".mine").touch()

    monkeypatch.setattr(files, "is_complete", other_job)
    fill(tmp_path, wanted, make)
    assert (tmp_path / "a" / "seconds.json").read_text() == "the other's"


def test_many_writers_at_once_end_complete(tmp_path: Path) -> None:
    """Six processes, each over a stale collection; then every entry is complete and nothing else is left."""
    script = """
import sys, time
from pathlib import Path
from diffusion_credit.base.files import announce, write_json
from diffusion_credit.base.collection import fill
collection, wanted = Path(sys.argv[1]), {f"n{i}": {"seed": int(sys.argv[2])} for i in range(30)}
def make(name, folder, state):
    write_json(folder / "x", name)
    announce(folder, ["x"], provenance=wanted[name])
fill(collection, wanted, make)
"""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}

    def start(seed: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(seed)], env=environment)

    assert start(0).wait() == 0
    assert [process.wait() for process in [start(1) for _ in range(6)]] == [0] * 6
    found = entries(tmp_path / "manifest.json")
    assert len(found) == 30 and all(is_complete(folder, {"seed": 1}) for folder, _ in found.values())
    assert len(list(tmp_path.iterdir())) == 32


def table(names: list[str]) -> Subsets:
    members = np.array([[i >> k & 1 for k in range(len(names))] for i in range(4)], dtype=bool)
    values = np.array([0.1, 1 / 3, -2e-17, 1e300])
    return Subsets(names, ["00000", "1", "2", "3"], [0, 1, 0, 0], [2**48 - 1, 1, 2, 3], members, values)


def test_a_write_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    """kill -9 in the middle of a write; the next write of the same file tidies up, a living writer's file stays."""
    code = (
        "import os, signal, sys; from diffusion_credit.base.files import replacing\n"
        f"with replacing({str(tmp_path / 'a.csv')!r}) as path:\n"
        "    path.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == -9
    assert len(list(tmp_path.iterdir())) == 1
    with replacing(tmp_path / "a.csv") as first:
        with replacing(tmp_path / "a.csv") as second:
            assert {path.name for path in tmp_path.iterdir()} == {first.name, second.name}
            second.write_text("two")
        first.write_text("one")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "one"


@pytest.mark.parametrize("count", [6, 7])
def test_tables_keep_every_bit_and_pandas_reads_them(tmp_path: Path, count: int) -> None:
    names = ["value", "NA", 'a"b', "line\nbreak", "ü,;", "=1+1", "carriage\rreturn"][:count]
    write_subsets(tmp_path / "t.csv", table(names))
    back = read_subsets(tmp_path / "t.csv", valued=True)
    assert back.contributors == names
    assert (back.members == table(names).members).all()
    assert back.value is not None
    assert back.value.tolist() == table(names).value.tolist()
    assert (back.subset, back.replicate, back.seed) == (table(names).subset, table(names).replicate, table(names).seed)
    frame = pd.read_csv(tmp_path / "t.csv", dtype={"subset": str})
    assert frame.shape == (4, 3 + len(names) + 1)
    assert frame.iloc[:, -1].tolist() == pytest.approx(back.value.tolist())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty file"),
        ("a,b\n1,2\n", "header"),
        ("subset,replicate,seed,value\n", "header"),
        (
            "a,b\n1,0\n",
            "found the header a,b, expected one 0/1 column a contributor, at least two, and the column value",
        ),
        ("subset,replicate,seed,x,y,value\n1,0,0,2,1,1.5\n", "row 2, column x: found '2', expected 0 or 1"),
        ("x,y,value\n1,,1.5\n", "row 2, column y: found '', expected 0 or 1"),
        ("subset,replicate,seed,x,y,value\n1,0,0,1,0,nan\n", "row 2, column value: found nan, expected a finite"),
        ("x,y,value\n1,0,1\n1,1,-inf\n", "row 3, column value: found -inf, expected a finite"),
        ("subset,replicate,seed,x,y,value\n1,0,0,1,0,abc\n", "expected a number"),
        ("x,value,y\n1,,0\n", "row 2, column value: found '', expected a number"),
        ("subset,replicate,seed,x,y,value\n1,zero,0,1,0,1\n", "column replicate"),
        ("subset,replicate,seed,x,y,value\n1,0,0,1\n", "row 2 has 4 fields, expected 6"),
        ("x,y,x,value\n1,0,1,2\n", "found the column 'x' twice"),
        ("x,y,value,value\n1,0,1,2\n", "found the column 'value' twice"),
        ("subset,replicate,seed,x,x,value\n1,0,0,1,0,1\n", "found the column 'x' twice"),
        (",x,y,value\n0,1,1,5\n1,0,0,2\n", "t.csv: column 1 looks like an index, as its name is ''"),
        ("Unnamed: 0,x,y,value\n0,1,1,5\n1,0,0,2\n", "column 1 looks like an index, as its name is 'Unnamed: 0'"),
        ("x,,value\n1,1,5\n", "t.csv: column 2 has no name, expected a contributor's"),
        ("subset,replicate,seed,x, ,value\n1,0,0,1,0,1\n", "t.csv: column 5 has no name"),
        ("x,y,value\n1,0,1\n1,1\n", "row 3 has 2 fields, expected 3"),
    ],
)
def test_malformed_tables_are_refused_by_row_and_column(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UserError, match=complaint):
        read_subsets(tmp_path / "t.csv", valued=True)


def test_any_table_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("ann,value,seed,bob\n1,2.5,7,0\n1,3,8,0\n0,-1e3,9,1\n", encoding="utf-8-sig")
    found = read_subsets(tmp_path / "t.csv", valued=True)
    assert found.contributors == ["ann", "bob"]
    assert found.members.astype(int).tolist() == [[1, 0], [1, 0], [0, 1]]
    assert found.value is not None
    assert found.value.tolist() == [2.5, 3, -1000]
    assert found.seed == [7, 8, 9]
    # rows of the same contributors are replicates of one subset
    assert found.subset == ["00000", "00000", "00002"]
    assert found.replicate == [0, 1, 0]


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the scripts whose digests can be taken."""
    shutil.copytree(PACKAGE.parent, tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code_module, "PACKAGE", tmp_path / "scripts" / PACKAGE.name)
    return tmp_path / "scripts"


def digest(scripts: Path, script: str, *plugins: str) -> str:
    code_module.code_digest.cache_clear()
    code_module._read.cache_clear()
    return code_module.code_digest(scripts / script, *plugins)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_code_is_known_by_what_it_does(sources: Path) -> None:
    package = sources / PACKAGE.name
    arguments = {
        "train": ("train_models.py", "models.regimes.sparse"),
        "fid": ("measure_property.py", "measuring.properties.fid"),
        "entropy": ("measure_property.py", "measuring.properties.cluster_entropy"),
        "prune": ("prune_model.py", "models.networks.unet", "models.pruning.unet"),
        "influence": ("train_models.py", "models.regimes.influence"),
        "uniform": ("make_design.py", "subsets.draws.uniform"),
        "owen": ("make_design.py", "subsets.draws.owen"),
    }

    def digests() -> dict[str, str]:
        return {name: digest(sources, *argument) for name, argument in arguments.items()}

    def changed(path: Path, old: str, new: str) -> set[str]:
        before = digests()
        edit(path, old, new)
        after = digests()
        return {name for name in before if before[name] != after[name]}

    assert changed(package / "measuring/properties/fid.py", "2 * np.sqrt", "2.0 * np.sqrt") == {"fid"}
    assert changed(package / "models/optimising.py", "(step + 10)", "(step + 11)") == {"train", "influence"}
    assert changed(package / "models/diffusion.py", "a * images", "images * a") == {
        "train",
        "influence",
    }  # a helper's helper
    assert changed(package / "base/seeds.py", "digest[:6]", "digest[:5]") == {
        "train",
        "influence",
        "uniform",
        "owen",
    }
    assert changed(package / "models/pruning/unet.py", "p=2", "p=1") == {"prune"}
    assert changed(package / "models/unlearning.py", "size**0.5", "size**0.25") == {"influence"}
    assert changed(package / "subsets/draws/uniform.py", "< 0.5", "<= 0.5") == {"uniform"}
    assert changed(package / "subsets/draws/paired_stratified.py", "VAIN = 500", "VAIN = 501") == {"owen"}
    assert changed(package / "base/files.py", "indent=1", "indent=2") == {*arguments}
    assert changed(package / "models/optimising.py", '"""Steps of AdamW', '"""The steps of AdamW') == set()
    assert (
        changed(package / "models/optimising.py", "STATE_SECONDS = 20.0  #", "STATE_SECONDS  =  20.0 # see: ") == set()
    )
    assert changed(package / "models/options.py", "Optimiser steps.", "Steps of the optimiser.") == set()
    assert changed(package / "models/regimes/sparse.py", "trained briefly", "trained for long") == set()
    assert changed(package / "models/regimes/influence.py", "task.removed", "task.kept") == {"influence"}
    assert changed(package / "measuring/properties/__init__.py", '"fid",', '"fid", "new",') == set()
