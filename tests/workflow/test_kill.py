"""kill -9 of the whole process tree in the middle of training, batch and generation, then a rerun."""

import random
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from safetensors import safe_open
from studies import Workspace

pytestmark = pytest.mark.workflow


def complete(collection: Path) -> set[str]:
    """Entries of an unannounced collection that are themselves complete."""
    if (collection / "manifest.json").exists():
        return set()
    return {path.parent.name for path in collection.glob("*/manifest.json")}


def kill_when(workspace: Workspace, ready: Callable[[], bool], delay: float, cores: int) -> None:
    """Start the workflow, wait until `ready` and a little longer, and kill every process of it at once."""
    with (workspace.folder / "killed.log").open("a") as log:
        process = subprocess.Popen(
            workspace.command(cores=cores), cwd=workspace.folder, stdout=log, stderr=log, env=workspace.environment()
        )
        deadline = time.monotonic() + 300
        while not ready():
            assert process.poll() is None, (workspace.folder / "killed.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(delay)
        tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for victim in tree:
            victim.suspend()  # so that none starts another while the rest is killed
        for victim in tree:
            victim.kill()
        process.wait()
        psutil.wait_procs(tree, timeout=20)
    assert workspace.run("--unlock").returncode == 0


SLOW = {  # file of the library -> line, seconds that pass after it, and where they do
    "models/optimising.py": ('            progress(step + 1, options["steps"])\n', 0.02, 'options["steps"] == 150'),
    "base/collection.py": ('                log.debug("made %s", name)\n', 0.3, '"sparse/sampled" in str(collection)'),
}


def slow_down(workspace: Workspace) -> None:
    """What is to be killed takes longer, so that the kill meets it however busy the machine is."""
    for file, (line, seconds, where) in SLOW.items():
        path = workspace.folder / "workflow/scripts/diffusion_credit" / file
        text = path.read_text()
        assert text.count(line) == 1
        indent = " " * (len(line) - len(line.lstrip()))
        wait = f"{indent}if {where}:\n{indent}    __import__('time').sleep({seconds})\n"
        path.write_text(text.replace(line, line + wait))


def test_killed_three_times_the_results_are_byte_identical(finished: Workspace, workspace: Workspace) -> None:
    """Also with another number of workers, for the first two runs."""
    rng = random.Random(20261122)
    workspace.config = finished.config
    training = workspace.folder / "workflow/scripts/diffusion_credit/models/optimising.py"
    training.write_text(training.read_text().replace("STATE_SECONDS = 20.0", "STATE_SECONDS = 0.2"))
    slow_down(workspace)
    results = workspace.results
    state = results / "models/full/everyone/0000/.everyone-0.state.safetensors"
    models, images = results / "models/sparse/sampled/0000", results / "images/sparse/sampled/0000"

    kill_when(workspace, state.exists, rng.uniform(0, 1.0), cores=1)
    assert state.exists(), "killed after the training ended"
    assert not (results / "models/full/everyone/0000/manifest.json").exists()

    kill_when(workspace, lambda: bool(complete(models)), rng.uniform(0, 0.2), cores=1)
    trained = complete(models)
    assert 0 < len(trained) < 8, "killed after the batch ended"
    log = (results / "logs/models/full/everyone/0000.log").read_text()
    assert re.search(r"resumed at step \d+ of 150", log), "the full model's training started over"

    kill_when(workspace, lambda: bool(complete(images)), rng.uniform(0, 0.05), cores=2)
    generated = complete(images)
    assert 0 < len(generated) < 8, "killed after the generation ended"

    last = workspace.run()
    assert last.returncode == 0, last.stdout
    output = "".join((results / f"logs/{stage}/sparse/sampled/0000.log").read_text() for stage in ("models", "images"))
    said = r"/sparse/sampled/0000/manifest.json: \d+ %s; (\d+) (?:was|were) there before"
    kept = [int(n) for n in re.findall("models" + said % "models? trained", output)]
    assert kept == [len(trained)]
    kept = [int(n) for n in re.findall("images" + said % "folders? of images", output)]
    assert kept == [len(generated)]
    assert workspace.csvs() == finished.csvs()
    assert len(finished.csvs()) > 30
    assert workspace.planned() == {}
    left = [path for path in results.rglob(".*") if path.name != ".snakemake_timestamp" and path.suffix != ".log"]
    assert not left, left


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGUSR1])
def test_a_job_that_is_asked_to_stop_saves_its_state(
    number: signal.Signals, finished: Workspace, tmp_path: Path
) -> None:
    """SIGTERM is Slurm's own way, tested there."""
    workspace = finished.copy(tmp_path / "copy")
    workspace.config["training"]["steps"] = 600
    target = "results/tiny/models/full/everyone/0000/manifest.json"
    collection = workspace.results / "models/full/everyone/0000"
    process = subprocess.Popen(workspace.command(target), cwd=workspace.folder, env=workspace.environment())
    while not list(collection.glob(".everyone-0.*")):
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(1.0)
    (job,) = [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if "train_models.py" in " ".join(child.cmdline()) and "python" in child.name()
    ]
    job.send_signal(number)
    assert process.wait(60) != 0
    log = (workspace.results / "logs/models/full/everyone/0000.log").read_text()
    assert f"stopped by {number.name}; what was made so far is kept" in log
    assert "Traceback" not in log
    (state,) = collection.glob(".*.state.safetensors")
    with safe_open(state, framework="np") as file:
        step = int(file.metadata()["step"])
    assert workspace.run(target).returncode == 0
    assert f"resumed at step {step} of 600" in (workspace.results / "logs/models/full/everyone/0000.log").read_text()
    assert not state.exists()
