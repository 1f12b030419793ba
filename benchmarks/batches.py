"""One process a subset against resident batches: the same subsets, side by side, identical images asserted.

    python benchmarks/batches.py [--subsets 24] [--cores 2]

Both ways train and generate the sampled subsets of the default study with Snakemake, starting from the same
re-fitted model in a copy of a finished results/digits.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent


def run(folder: Path, subsets: int, batch_size: int, cores: int) -> tuple[float, dict[str, str]]:
    """Seconds, and subset -> digest of its images."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["design"] |= {"subsets": subsets, "batch_size": batch_size}
    (folder / "study.yaml").write_text(yaml.safe_dump(config))
    for stage in ("designs", "models/sparse", "images/sparse", "features", "properties"):
        shutil.rmtree(folder / "results/digits" / stage, ignore_errors=True)
    manifests = [
        f"results/digits/images/sparse/sampled/{batch:04d}/manifest.json" for batch in range(subsets // batch_size)
    ]
    designs = [manifest.replace("images/sparse", "designs").replace("/manifest.json", ".csv") for manifest in manifests]
    command = [sys.executable, "-m", "snakemake", "--configfile", "study.yaml", "--cores", str(cores), "--quiet", "all"]
    # The designs are the same work for both and cost next to nothing; only training and generation are timed.
    subprocess.run([*command, "--rerun-triggers", "mtime", "--", *designs], cwd=folder, check=True)
    started = time.monotonic()
    subprocess.run([*command, "--rerun-triggers", "mtime", "--", *manifests], cwd=folder, check=True)
    seconds = time.monotonic() - started
    digests = {}
    for path in (folder / "results/digits/images/sparse/sampled").glob("*/*/manifest.json"):
        digests[path.parent.name] = json.loads(path.read_text())["files"]["images.zip"]
    return seconds, digests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subsets", type=int, default=24)
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    refit = "results/digits/models/refit"
    if not (ROOT / refit / "everyone/0000/manifest.json").exists():
        sys.exit(f"Error: {refit} not found, expected a finished default study; run `make run` first")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("Snakefile", "rules", "workflow", "envs", "profiles", "results/digits/index", refit):
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part)
            else:
                shutil.copy(source, folder / part)
        single, one = run(folder, arguments.subsets, 1, arguments.cores)
        batched, many = run(folder, arguments.subsets, arguments.subsets // arguments.cores, arguments.cores)
    assert one == many, "the two ways made different images"
    assert len(one) == arguments.subsets
    print(f"{arguments.subsets} subsets on {arguments.cores} cores, identical images")
    print(f"one process a subset: {single:7.1f} s")
    print(f"resident batches:     {batched:7.1f} s")
    print(f"ratio:                {single / batched:7.2f}")


if __name__ == "__main__":
    main()
