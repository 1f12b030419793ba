"""What Snakemake plans for a study of 20,000 subsets of 1,000 contributors: jobs, seconds, memory.

    python benchmarks/large_plan.py [BATCH ...]      default: batches of 50, 200 and 10

The plan does not depend on the number of contributors, because lists of subsets are drawn by jobs.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent


def plan(batch: int) -> str:
    study = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    study["study"] = "large_plan"
    study["design"].update(subsets=20_000, batch_size=batch)
    study["evaluation"]["lds"].update(subsets=100, replicates=5)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(study, file)
        file.flush()
        command = [sys.executable, "-m", "snakemake", "-n", "--profile", "slurm", "--configfile", file.name]
        started = time.monotonic()
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    jobs = next(line.split()[1] for line in process.stdout.splitlines() if line.startswith("total"))
    return f"batches of {batch}: {jobs} jobs planned in {time.monotonic() - started:.1f} s"


if __name__ == "__main__":
    for size in map(int, sys.argv[1:] or ("200", "50", "10")):
        line = plan(size)
        print(f"{line}, {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB at most so far")
