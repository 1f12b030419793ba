"""Fake GPUs, four of them: no two jobs on one, each is used, and none is lost with a job that is killed."""

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from studies import ROOT

from diffusion_credit.base import device
from diffusion_credit.base.errors import UserError

JOB = f"""
import os, sys, time
sys.path.insert(0, {str(ROOT / "workflow/scripts")!r})
from diffusion_credit.base.device import take
name = take("cuda")
begin = time.monotonic()
with open(f"{{sys.argv[1]}}/{{os.getpid()}}", "w") as file:
    print(name, os.environ["CUDA_VISIBLE_DEVICES"], begin, file=file, flush=True)
    time.sleep(float(sys.argv[2]))
    print(time.monotonic(), file=file)
"""
SNAKEFILE = """
rule all:
    input: expand("done/{{i}}", i=range(16))

rule one:
    output: touch("done/{{i}}")
    resources: gpu=1
    shell: "{python} job.py seen 0.3"
"""


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "CUDA_VISIBLE_DEVICES": "0,1,2,3", "TMPDIR": str(folder)}


def held(folder: Path, ends: dict[int, float]) -> dict[str, list[tuple[float, float]]]:
    """GPU -> when a job had it, from and to. ends: of the jobs that were killed, by process."""
    found: dict[str, list[tuple[float, float]]] = {}
    for path in folder.iterdir():
        words = path.read_text().split()
        assert words[0] == words[1]  # it sees this one alone
        end = float(words[3]) if len(words) == 4 else ends[int(path.name)]
        found.setdefault(words[0], []).append((float(words[2]), end))
    return found


def assert_apart(found: dict[str, list[tuple[float, float]]]) -> None:
    assert set(found) == {"0", "1", "2", "3"}
    for times in found.values():
        times.sort()
        assert all(end <= begin for (_, end), (begin, _) in pairwise(times)), times


def test_sixteen_jobs_share_four_gpus_though_some_are_killed(tmp_path: Path) -> None:
    (tmp_path / "seen").mkdir()
    (tmp_path / "job.py").write_text(JOB)
    command, options = [sys.executable, "job.py", "seen"], {"cwd": tmp_path, "env": environment(tmp_path)}
    long = [subprocess.Popen([*command, "60"], **options) for _ in range(4)]
    short = [subprocess.Popen([*command, "0.2"], **options) for _ in range(12)]
    while len(list((tmp_path / "seen").iterdir())) < 4:
        time.sleep(0.02)
    ends = {}
    for process in long:
        while process.poll() is None and not (tmp_path / "seen" / str(process.pid)).exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        ends[process.pid] = time.monotonic()
        process.wait()
    assert [process.wait(60) for process in short] == [0] * 12
    found = held(tmp_path / "seen", ends)
    assert sum(map(len, found.values())) == 16
    assert_apart(found)


def test_snakemake_killed_and_started_again_finds_every_gpu(tmp_path: Path) -> None:
    (tmp_path / "seen").mkdir()
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(python=sys.executable))
    command = [sys.executable, "-m", "snakemake", "--profile", str(ROOT / "profiles/gpus"), "--cores", "8", "--quiet"]
    options = {
        "cwd": tmp_path,
        "env": environment(tmp_path),
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    first = subprocess.Popen(command, start_new_session=True, **options)
    while len(list((tmp_path / "seen").iterdir())) < 4:
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    end = time.monotonic()
    first.wait()
    subprocess.run([*command[:3], "--unlock"], check=True, **options)
    subprocess.run([*command, "--rerun-incomplete"], check=True, **options)
    found = held(tmp_path / "seen", {int(path.name): end for path in (tmp_path / "seen").iterdir()})
    assert_apart(found)
    assert len(list((tmp_path / "done").iterdir())) == 16


def test_a_folder_of_somebody_else_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "theirs").mkdir()
    (tmp_path / f"diffusion-credit-gpus-{os.getuid()}").symlink_to(tmp_path / "theirs")
    with pytest.raises(UserError, match="found a folder of somebody else"):
        device.take("cuda")
    assert not list((tmp_path / "theirs").iterdir())


@pytest.mark.parametrize(
    ("named", "expected"), [("", []), ("1", ["1"]), ("0, 2", ["0", "2"]), ("GPU-3f,MIG-7a", ["GPU-3f", "MIG-7a"])]
)
def test_what_is_visible_is_what_cuda_is_told(named: str, expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert device.visible() == expected
    if len(expected) < 2:
        assert device.take("cuda") is None
    assert device.take("cpu") is None
    assert os.environ["CUDA_VISIBLE_DEVICES"] == named
