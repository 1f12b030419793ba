"""The device that a study asks for, looked for before anything slow happens; of several GPUs, one for each job."""

import fcntl
import os
import re
import tempfile
import time
from pathlib import Path
from typing import TextIO

from diffusion_credit.base.errors import UserError

# Without one of these PyTorch has no GPU: NVIDIA's, Jetson's, AMD's, and any in the Windows subsystem for Linux
DEVICE_FILES = ("nvidia[0-9]*", "nvmap", "kfd", "dxg")
WAIT = 0.5  # seconds between two looks for a GPU that is free

# The lock of this process's GPU. The system gives it back when the process ends, however it does.
taken: list[TextIO] = []


def take(device: str) -> str | None:
    """Make one GPU of several, which no other job on this machine has, the only one that this process sees.

    Waits until one is free. Returns its name in CUDA_VISIBLE_DEVICES; None where this process sees one GPU at most, as
    under a scheduler. CUDA reads that variable when it starts, so call this before PyTorch looks for a GPU. Raises
    UserError when the folder of the locks is not the user's own.
    """
    found = visible()
    if device == "cpu" or len(found) < 2:
        return None
    folder = Path(tempfile.gettempdir()) / f"diffusion-credit-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise UserError(f"{folder}: found a folder of somebody else, expected one's own; set TMPDIR to another place")
    while True:
        for name in found:
            lock = (folder / re.sub(r"\W", "_", name)).open("a")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            taken.append(lock)
            os.environ["CUDA_VISIBLE_DEVICES"] = name
            return name
        time.sleep(WAIT)


def visible() -> list[str]:
    """The GPUs of NVIDIA that this process sees, as CUDA_VISIBLE_DEVICES names them or would."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip()]
    files = (re.fullmatch(r"nvidia(\d+)", path.name) for path in Path("/dev").glob("nvidia[0-9]*"))
    return [str(number) for number in sorted(int(found[1]) for found in files if found)]


def require(device: str) -> None:
    """Raises UserError at once when the device that the config asks for is not there; nothing falls back to the CPU."""
    if device == "cpu":
        return
    if any(any(Path("/dev").glob(pattern)) for pattern in DEVICE_FILES):
        import torch  # takes seconds

        if torch.cuda.is_available():
            return
    raise UserError("config: device: found cuda, but PyTorch sees no GPU; expected one, or device: cpu")
