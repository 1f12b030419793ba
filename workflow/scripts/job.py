"""What every script of the workflow shares: its log, its progress, and how it fails.

A script says everything in its log and nothing on the terminal. Snakemake's logger plugin, in a folder beside this
file, reads the log and shows what matters.
"""

import errno
import logging
import os
import platform
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from diffusion_credit.base.device import require, take
from diffusion_credit.base.errors import Stopped, UserError
from diffusion_credit.base.lean import import_lean
from diffusion_credit.base.plugins import packages_of

LOG_SECONDS = 10.0
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)  # Ctrl-C; a cluster's preemption, time limit, warning
STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT}


@contextmanager
def job(snakemake: Any, uses: str | None = None) -> Iterator[logging.Logger]:
    """Run a script's body with its log, its threads, and one sentence instead of a traceback for a user's error.

    uses: the group of plug-ins, networks or extractors, whose packages the body uses for the kind `params.kind`.
    """
    log = logging.getLogger(snakemake.rule)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    file = _continued(Path(snakemake.log[0]))
    file.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    log.handlers = logging.getLogger("diffusion_credit").handlers = [file]
    for printed in (sys.stdout, sys.stderr):  # by libraries
        os.dup2(file.stream.fileno(), printed.fileno())
    logging.getLogger("diffusion_credit").setLevel(logging.DEBUG)
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES")
    log.debug("started on %s%s", platform.node(), f", GPU {gpus}" if gpus else "")
    for number in STOPS:
        signal.signal(number, _stop)
    try:
        _require_library_of(Path(snakemake.scriptdir))
        if device := snakemake.params.get("device"):
            if gpu := take(device):
                log.debug("takes GPU %s", gpu)
            require(device)
            import torch  # the script itself does so too late for what follows
        if uses:
            import_lean([*packages_of(uses, snakemake.params.kind), *(["diffusers"] if uses == "networks" else [])])
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(snakemake.threads)
            torch.set_deterministic_debug_mode("warn")  # the same without the import of a compiler, which takes seconds
        with threadpool_limits(snakemake.threads):  # numpy's sums must not depend on the machine's cores
            yield log
            log.debug("ended")
    except Stopped as stopped:
        log.warning("stopped by %s; what was made so far is kept, run again to go on from there", stopped)
        sys.exit(1)
    except UserError as error:
        log.error("Error: %s", error)
        sys.exit(1)
    except OSError as error:
        if error.errno not in STORAGE:
            log.exception("unexpected error")
        else:
            log.error("Error: %s: %s", error.filename or "writing the output", error.strerror)
        sys.exit(1)
    except Exception:
        log.exception("unexpected error")
        sys.exit(1)


def _require_library_of(scripts: Path) -> None:
    """Raises UserError where another version's library is used. A module's rules cannot choose it by themselves."""
    used = Path(__file__).resolve().parent
    if used != scripts.resolve():
        raise UserError(
            f"module: found the library of {used}, expected the one beside the module's scripts;"
            f" `pip install -e {scripts.resolve().parents[1]}` installs it"
        )


def _continued(path: Path) -> logging.FileHandler:
    """The log, after what earlier attempts wrote: a link to a hidden file, as Snakemake deletes a log before each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = path.with_name(f".{path.name}")
    with suppress(OSError):  # another job of the same batch was as fast, or the file system has no links
        path.unlink(missing_ok=True)
        path.symlink_to(kept.name)
    return logging.FileHandler(kept, encoding="utf-8")


def _stop(number: int, frame: Any) -> None:
    for other in STOPS:
        signal.signal(other, signal.SIG_IGN)  # the end is under way; schedulers ask more than once
    raise Stopped(signal.Signals(number).name)


def counted(made: int, of: int, one: str, many: str) -> str:
    """What a job made, in words, and how much of it was there before the job."""
    text, there = f"{made} {one if made == 1 else many}", of - made
    return text + (f"; {there} {'was' if there == 1 else 'were'} there before" if there else "")


def progress(log: logging.Logger, unit: str, entries: int) -> Any:
    """A function of (name, done, of) that writes a line to the log now and then.

    From now on a request to stop takes effect where the function is next called, so that the caller can save its
    state; before, and in scripts without progress, it does so anywhere.
    """
    last = time.monotonic()
    seen: set[str] = set()
    asked: list[int] = []
    for number in STOPS:
        signal.signal(number, lambda number, _: asked.append(number))

    def report(name: str, done: int, of: int) -> None:
        nonlocal last
        if asked:
            _stop(asked[0], None)
        seen.add(name)
        if done == of:
            log.debug("%s: finished", name)
        if time.monotonic() - last > LOG_SECONDS:
            last = time.monotonic()
            log.debug("%s (%d of %d): %d of %d %ss", name, len(seen), entries, done, of, unit)

    return report
