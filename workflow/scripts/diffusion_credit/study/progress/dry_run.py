"""A dry run of Snakemake that prints each job of the next run as a line of JSON, and leaves no trace.

It runs as a script of its own: the Snakefile brings the library that lies beside it. What Snakemake itself prints does
not do: a job that another one makes run says nothing of its own changed options, and a dry run leaves a file behind.
"""

import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

from snakemake import cli
from snakemake.dag import DAG
from snakemake.persistence import PersistenceBase


async def jobs_of(dag: Any, detailed: bool = False) -> AsyncIterator[str]:
    """What `--summary` prints instead of its table."""
    for job in filter(lambda job: job.output, dag.needrun_jobs()):
        records = dag.workflow.persistence
        change, made_from = records.params_changed(job), records.input(job.output[0])
        # What depends on a checkpoint that has not run has only that as input, and params that are not known yet
        known = not any(file.flags.get("checkpoint_target") for file in job.input)
        yield json.dumps(
            {
                "rule": job.rule.name,
                "inputs": [str(file) for file in job.input],
                "outputs": [str(file) for file in job.output],
                "reason": str(dag.reason(job)),
                "made_from": len(made_from if known and made_from is not None else job.input),
                "params": {key: value for key, value in job.params.items() if key in ("options", "device", "code")},
                "before": sorted(change.only_old) if known else [],
                "now": sorted(change.only_new) if known else [],
            }
        )


if __name__ == "__main__":
    DAG.summary = jobs_of
    # Not even what Snakemake itself leaves or deletes in its own folder
    PersistenceBase.save_iocache = PersistenceBase.drop_iocache = lambda self: None
    os.makedirs = lambda *arguments, **options: None
    sys.exit(cli.main(sys.argv[1:]))
