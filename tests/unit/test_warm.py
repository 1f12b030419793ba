"""Processes that have imported everything before behave as fresh ones do: what they are told, and how they end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from warm import WARM

ABOUT = """
import json, os, sys
print(json.dumps([sys.argv, os.getcwd(), dict(os.environ), __name__, sys.stdin.read()]))
print("diffusion_credit" in sys.modules)
print("a complaint", file=sys.stderr)
from here import NAME
print(NAME)
"""


def both(script: Path, *arguments: str, **options: object) -> list[subprocess.CompletedProcess[str]]:
    """The same script by this interpreter and by a warm one."""
    programs = [sys.executable, str(WARM.client())]
    return [
        subprocess.run([program, str(script), *arguments], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
        for program in programs
    ]


def test_it_has_the_arguments_environment_folder_and_streams(tmp_path: Path) -> None:
    (tmp_path / "about.py").write_text(ABOUT)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/here.py").write_text("NAME = 'of PYTHONPATH'")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "elsewhere"), "TEXT": "a = ü\n"}
    fresh, warm = both(tmp_path / "about.py", "x y", "", cwd=tmp_path, env=environment, input="told")
    assert fresh.returncode == 0, fresh.stderr
    assert warm.stdout == fresh.stdout
    assert warm.stderr == fresh.stderr == "a complaint\n"


@pytest.mark.parametrize(
    "text",
    [
        "pass",
        "raise SystemExit(7)",
        "import os; os.kill(os.getpid(), 9)",
        "raise SystemExit('no')",
        "1 / 0",
        "import os; os._exit(3)",
        "exit(None)",
    ],
)
def test_it_ends_with_the_same_status(tmp_path: Path, text: str) -> None:
    (tmp_path / "script.py").write_text(text)
    fresh, warm = both(tmp_path / "script.py")
    assert warm.returncode == fresh.returncode
    assert ("ZeroDivisionError" in warm.stderr) == ("ZeroDivisionError" in fresh.stderr)


def started(script: Path, text: str) -> tuple[subprocess.Popen[str], int]:
    """A warm process that has printed its number and sleeps."""
    script.write_text(f"import os, signal, time\n{text}\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen([str(WARM.client()), str(script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def test_a_signal_reaches_it(tmp_path: Path) -> None:
    process, _ = started(tmp_path / "a.py", "signal.signal(signal.SIGTERM, lambda *_: exit(9))")
    process.terminate()
    assert process.wait(timeout=10) == 9
    process, _ = started(tmp_path / "b.py", "")
    process.terminate()
    assert process.wait(timeout=10) == -signal.SIGTERM


def test_it_dies_with_whoever_asked_for_it(tmp_path: Path) -> None:
    process, number = started(tmp_path / "a.py", "")
    assert psutil.pid_exists(number)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while psutil.pid_exists(number):
        assert time.monotonic() < deadline
        time.sleep(0.05)
