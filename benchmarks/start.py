"""How long jobs take to start: a training to its first step, and what draws and collects, beside `import torch`.

    python benchmarks/start.py results/digits [another checkout]

Wants the finished default study. Prints the median of ROUNDS starts of each, in turn, in seconds and as a multiple of
the time that `import torch` takes.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from diffusion_credit.study import plan
from diffusion_credit.study.config import plain, read_study

ROUNDS = 7
ROOT = Path(__file__).parents[1]

FIRST_STEP = """
import json, os, sys
from types import SimpleNamespace
sys.path.insert(0, "workflow/scripts")
import job

class Named(dict):
    __getattr__ = dict.__getitem__

def stop_at_first_step(log, unit, entries):
    def report(name, done, of):
        if done >= 1:
            os._exit(0)
    return report

job.progress = stop_at_first_step
what = json.loads(sys.argv[1])
snakemake = SimpleNamespace(
    rule="train_models", threads=1, log=[what["log"]], output=[what["output"]], input=Named(what["input"]),
    params=Named(what["params"]), wildcards=SimpleNamespace(regime="full"),
)
exec(compile(open("workflow/scripts/train_models.py").read(), "train_models.py", "exec"))
sys.exit("the training took no step")
"""

IMPORTS = """
import ast, sys
sys.path.insert(0, "workflow/scripts")
from snakemake import script
tree = ast.parse(open("workflow/scripts/" + sys.argv[1] + ".py").read())
for node in ast.walk(tree):
    if isinstance(node, ast.Import | ast.ImportFrom):
        exec(ast.unparse(node))
"""


def seconds(code: str, argument: str, checkout: Path) -> float:
    """Wall seconds of one process."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "workflow/scripts"), "OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, argument], cwd=checkout, env=environment, check=True)
    return time.perf_counter() - start


def training(results: Path, scratch: Path) -> str:
    """What the full model's training is told, with its outputs in a scratch folder."""
    study = read_study(yaml.safe_load((ROOT / "config/config.yaml").read_text()))
    options = {
        "regime": "full",
        "training": plain(plan.trainings(study)["full"]),
        "model": plain(study.model),
        "diffusion": plain(study.diffusion),
        "empty": study.design.empty,
        "seed": study.seed,
    }
    inputs = {"design": "designs/everyone/0000.csv", "index": "index/index.json", "pixels": "index/pixels.npy"}
    return json.dumps(
        {
            "log": str(scratch / "log/train.log"),
            "output": str(scratch / "models/manifest.json"),
            "input": {name: str((results / path).resolve()) for name, path in inputs.items()}
            | {name: [] for name in ("encoded", "weights", "start")},  # not of a network in pixels
            "params": {"options": options, "kind": "unet", "device": "cpu", "code": "benchmark"},
        }
    )


def main() -> None:
    results, checkouts = Path(sys.argv[1]), [ROOT, *map(Path, sys.argv[2:])]
    took: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        took.setdefault("import torch", []).append(seconds("import torch, os; os._exit(0)", "", ROOT))
        for checkout in checkouts:
            with tempfile.TemporaryDirectory() as scratch:
                told = training(results, Path(scratch))
                name = f"training to its first step, {checkout.name}"
                took.setdefault(name, []).append(seconds(FIRST_STEP, told, checkout))
            for script in ("measure_property", "collect_utilities", "plot_attribution", "evaluate_counterfactual"):
                name = f"imports of {script}, {checkout.name}"
                took.setdefault(name, []).append(seconds(IMPORTS, script, checkout))
    torch = statistics.median(took["import torch"])
    for name, each in took.items():
        middle = statistics.median(each)
        print(f"{name:<55}{middle:6.2f} s  {middle / torch:5.2f} x   ({min(each):.2f} to {max(each):.2f})")


if __name__ == "__main__":
    main()
