"""What every script of the workflow shares: its log, its progress, and how it fails."""

import errno
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from diffusion_credit.errors import UserError

LOG_SECONDS = 10.0
STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT}


@contextmanager
def job(snakemake: Any) -> Iterator[logging.Logger]:
    """Run a script's body with its log, its threads, and one sentence instead of a traceback for a user's error."""
    log = logging.getLogger(snakemake.rule)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    Path(snakemake.log[0]).parent.mkdir(parents=True, exist_ok=True)
    stream, file = logging.StreamHandler(), logging.FileHandler(snakemake.log[0], mode="w", encoding="utf-8")
    stream.setLevel(logging.INFO)
    stream.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.handlers = logging.getLogger("diffusion_credit").handlers = [stream, file]
    logging.getLogger("diffusion_credit").setLevel(logging.INFO)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(snakemake.threads)
        torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with threadpool_limits(snakemake.threads):  # numpy's sums must not depend on the machine's cores
            yield log
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


def progress(log: logging.Logger, unit: str, entries: int) -> Any:
    """A function of (name, done, of) that draws a bar on a terminal and writes a line now and then to the log."""
    from tqdm import tqdm

    bar = tqdm(unit=unit, disable=not sys.stderr.isatty(), leave=False, mininterval=1.0)
    last = time.monotonic()
    seen: set[str] = set()

    def report(name: str, done: int, of: int) -> None:
        nonlocal last
        if name not in seen:
            seen.add(name)
            bar.reset(of)
            bar.set_description(f"{log.name} {name}")
        bar.update(done - bar.n)
        if done == of:
            log.debug("%s: finished", name)
        if time.monotonic() - last > LOG_SECONDS:
            last = time.monotonic()
            bar.clear()
            log.info("%s (%d of %d): %d of %d %ss", name, len(seen), entries, done, of, unit)

    return report
