"""Kill -9 a tiny study at random moments until it is done; compare it with an undisturbed one.

python benchmarks/kills.py [KILLS] [SEED]     # 50 kills take about ten minutes on 2 cores

Prints how many kills met which scripts. Ends with an error where a table differs, or where a model, images or features
that were complete when a kill came were made again.
"""

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from studies import Workspace

SECONDS = (1.0, 7.0)  # from the start of Snakemake to the kill
STAGES = ("models", "images", "features")


def complete(results: Path) -> dict[Path, int]:
    """Manifest of every complete entry -> when it was written."""
    found = [path for stage in STAGES for path in results.glob(f"{stage}/**/*-*/manifest.json")]
    return {path: path.stat().st_mtime_ns for path in found}


def killed(workspace: Workspace, delay: float) -> set[str] | None:
    """Start the workflow and kill all of it after a while: the scripts that were met. None where it ended before."""
    with (workspace.folder / "killed.log").open("a") as log:
        process = subprocess.Popen(workspace.command(), cwd=workspace.folder, stdout=log, stderr=log)
        try:
            code = process.wait(delay)
        except subprocess.TimeoutExpired:
            tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            met = {Path(word).name for each in tree for word in _words(each) if "/.snakemake/scripts/" in word}
            for victim in tree:
                _at(victim, "suspend")  # so that none starts another while the rest is killed
            for victim in tree:
                _at(victim, "kill")
            process.wait()
            return {name.split(".", 1)[-1] for name in met}
    assert code == 0, (workspace.folder / "killed.log").read_text()[-3000:]
    return None


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _at(process: psutil.Process, action: str) -> None:
    with suppress(psutil.NoSuchProcess):
        getattr(process, action)()


def main(kills: int, seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        undisturbed = Workspace(Path(folder) / "undisturbed").finish()
        met: Counter[str] = Counter()
        kept: dict[Path, int] = {}
        number, studies, began = 0, 0, time.monotonic()
        while number < kills:
            studies += 1
            workspace = Workspace(Path(folder) / f"killed{studies}")
            kept = {}
            while number < kills:
                found = killed(workspace, rng.uniform(*SECONDS))
                if found is None:
                    break
                number += 1
                met.update(found or {"between jobs"})
                unlocked = workspace.run("--unlock")
                assert unlocked.returncode == 0, unlocked.stdout
                kept |= {path: when for path, when in complete(workspace.results).items() if path not in kept}
            last = workspace.run()
            assert last.returncode == 0, last.stdout
            again = [path for path, when in kept.items() if path.stat().st_mtime_ns != when]
            assert not again, f"made again: {again}"
            differ = [n for n, table in undisturbed.csvs().items() if workspace.csvs().get(n) != table]
            assert not differ, f"other tables: {differ}"
            print(f"study {studies}: {number} kills so far, {len(kept)} entries kept, all tables equal", flush=True)
        print(f"{kills} kills in {time.monotonic() - began:.0f} s, met: {dict(met.most_common())}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
