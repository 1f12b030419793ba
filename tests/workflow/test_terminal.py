"""What a user reads while a study runs, and last of all."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest
from studies import Workspace

pytestmark = pytest.mark.workflow
GO_ON = "Stopped: what was made so far is kept; run the same command again to go on."
NOT_FOR_USERS = ("Traceback", "RuleException", "CalledProcessError", "Complete log", "Exiting because", 'File "')


def steps(workspace: Workspace) -> int:
    """Jobs of the first run, as Snakemake's own log has them."""
    log = min((workspace.folder / ".snakemake/log").glob("*.snakemake.log"))
    return int(re.findall(r"(\d+) of (\d+) steps \(100%\) done", log.read_text())[0][1])


def test_a_run_prints_a_line_a_job(finished: Workspace) -> None:
    lines = finished.printed.splitlines()
    total = steps(finished)
    assert total > 100
    jobs = [
        match
        for line in lines
        if (match := re.fullmatch(rf"(\d+) of {total}  (\w+.*), (\d+ s|\d+ min \d+ s): .+", line))
    ]
    assert len({match[2] for match in jobs}) == len(jobs) == total - 1  # all but the rule `all`
    assert [int(match[1]) for match in jobs] == sorted({int(match[1]) for match in jobs})
    values = (finished.results / "first_values.txt").read_text().strip()
    assert values.startswith("cluster_entropy (ridge), not yet evaluated")
    assert finished.printed.index(values) < finished.printed.index("  evaluate_lds ")
    assert len(lines) <= total + 4 + len(values.splitlines()), [line for line in lines if " of " not in line]
    assert max(map(len, lines)) <= 100
    assert re.fullmatch(rf"{total} jobs done in (\d+ min )?\d+ s\.", lines[-1])


def test_a_failure_ends_with_its_sentence_though_other_jobs_go_on(workspace: Workspace) -> None:
    script = workspace.folder / "workflow/scripts/write_data_images.py"
    text = script.read_text()
    head = next(line for line in text.splitlines(keepends=True) if line.startswith("with job("))
    complaint = (
        "    raise __import__('diffusion_credit.base.errors').base.errors.UserError('raw/x.png: not an image')\n"
    )
    script.write_text(text.replace(head, head + complaint))
    process = workspace.run(
        "results/tiny/images/data/everyone/0000/manifest.json", "results/tiny/designs/sampled/0000.csv"
    )
    assert process.returncode == 1
    assert process.stdout.splitlines()[-1] == "write_data_images: Error: raw/x.png: not an image"
    assert (workspace.results / "designs/sampled/0000.csv").exists()
    assert not [word for word in NOT_FOR_USERS if word in process.stdout], process.stdout


DIES = "import os\nos.kill(os.getpid(), 9)\n"
BEGINS = "from job import job\nwith job(snakemake) as log:\n    log.info('begun')\n    "


@pytest.mark.parametrize(
    ("code", "places"),
    [
        (DIES, ".snakemake/log/stderr.txt"),
        (BEGINS + DIES.replace("\n", "; "), "results/tiny/logs/index.log and .snakemake/log/stderr.txt"),
    ],
)
def test_a_job_that_dies_without_a_word_is_named_with_its_logs(workspace: Workspace, code: str, places: str) -> None:
    (workspace.folder / "workflow/scripts/make_index.py").write_text(code)
    process = workspace.run("results/tiny/index/index.json")
    assert process.returncode == 1
    assert process.stdout.splitlines()[-1] == (
        f"make_index: died with <Signals.SIGKILL: 9> and does not say why (see {places})"
    )


@pytest.mark.parametrize("arguments", [(), ("--dry-run",), ("--dry-run", "--quiet", "rules")])
def test_a_mistake_in_the_config_is_the_last_line(workspace: Workspace, arguments: tuple[str, ...]) -> None:
    workspace.config["seed"] = "x"
    process = workspace.run(*arguments)
    assert process.returncode == 1
    assert process.stdout.splitlines()[-1] == "config: seed: found 'x', expected a valid integer"
    assert not [word for word in NOT_FOR_USERS if word in process.stdout], process.stdout


def on_a_terminal(workspace: Workspace, stop_when: Path, target: str) -> tuple[int, str]:
    """Run in a terminal of 100 columns, with Ctrl-C a little after a path is there: exit code, and what it was sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    process = subprocess.Popen(
        workspace.command(target), cwd=workspace.folder, env=workspace.environment(), stdin=theirs, stdout=theirs,
        stderr=theirs, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    os.set_blocking(ours, False)
    sent, deadline, asked = b"", time.monotonic() + 300, False
    while process.poll() is None:
        assert time.monotonic() < deadline, sent.decode()
        if not asked and stop_when.exists():
            time.sleep(1.5)
            os.write(ours, b"\x03")
            asked = True
        time.sleep(0.05)
        try:
            sent += os.read(ours, 1 << 20)
        except (BlockingIOError, OSError):  # nothing yet; the end
            continue
    try:
        while chunk := os.read(ours, 1 << 20):
            sent += chunk
    except OSError:
        pass
    return process.returncode, sent.decode()


def test_ctrl_c_on_a_terminal_ends_with_how_to_go_on(workspace: Workspace) -> None:
    workspace.config["training"]["steps"] = 20_000
    target = "results/tiny/models/pruned/everyone/0000/manifest.json"  # no other rule's jobs are left meanwhile
    code, sent = on_a_terminal(workspace, workspace.results / "models/full/everyone/0000", target)
    assert code == 1
    drawn = [re.sub(r"\x1b\[K", "", text).rstrip() for text in re.split(r"[\r\n]+", sent)]
    assert [text for text in drawn if text][-1] == GO_ON
    assert not [word for word in NOT_FOR_USERS if word in sent], sent
    assert max(map(len, drawn)) <= 100
    bars = [text for text in drawn if re.match(r" *\d+%\|.* \d of \d jobs", text)]
    assert any("train_models full/everyone/0000" in bar for bar in bars), sent
    assert not any(" left" in bar for bar in bars), "a guess, though of the rules that are left no job has ended"
