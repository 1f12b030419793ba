"""Slurm's plugin here: it looks at its jobs at an even pace, and ends at once when Snakemake does, also at Ctrl-C."""

import asyncio
import subprocess
import time

from snakemake_executor_plugin_slurm import Executor


async def pause(executor):
    """Let slurm-init-seconds-before-status-checks pass between two looks, or less where Snakemake ends.

    The plugin's own pause grows to three minutes, and Snakemake waits for its end.
    """
    until = (
        time.monotonic()
        + executor.workflow.executor_settings.init_seconds_before_status_checks
    )
    while executor.wait and time.monotonic() < until:
        await asyncio.sleep(0.1)


def cancel(executor):
    """Cancel all jobs of this Snakemake, by the name that they share, and end.

    The plugin's own list of them is empty while it looks, and lacks those that it is just submitting.
    """
    executor._job_submission_executor.shutdown(cancel_futures=True)
    clusters = ["--clusters=all"] if executor._submitted_job_clusters else []
    done = subprocess.run(
        ["scancel", *clusters, f"--name={executor.run_uuid}"],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        # Slurm does not answer, and its shutdown would wait for answers to the plugin, for hours
        executor.logger.error(
            f"The jobs may run on, because scancel failed: {done.stderr.strip()}"
        )
    else:
        executor.shutdown()


Executor.sleep = pause
Executor.cancel = cancel
