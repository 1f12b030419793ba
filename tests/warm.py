"""Snakemake and its jobs in processes that have imported everything before: two thirds of a tiny study are imports.

A server of the tests imports the packages once and forks for every run of Snakemake and for every job. A forked process
has the arguments, environment, folder and streams of whoever asked for it. What it imports of this project comes from
where that one runs, as ever. The same bytes as from fresh processes are promised by tests/workflow/test_kill.py, whose
own runs are all fresh.
"""

import atexit
import gc
import importlib
import os
import runpy
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

PRELOADED = (
    "matplotlib.pyplot", "pandas", "scipy.stats", "sklearn.datasets", "snakemake.cli", "snakemake.script",
    "torch_pruning", "transformers.models.auto", "transformers.models.clip", "transformers.models.t5", "peft",
    "diffusers.models.unets.unet_2d_condition", "diffusers.models.transformers.dit_transformer_2d",
    "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion", "diffusers.pipelines.flux.pipeline_flux",
)  # fmt: skip
CLIENT = """#!{python} -IS
# Asks the server of tests/warm.py to run a script, and ends as that ends.
import array, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
told = [os.getcwd(), str(len(sys.argv) - 1), *sys.argv[1:], *(name + "=" + value for name, value in os.environ.items())]
streams = array.array("i", [0, 1, 2])
message = "\\0".join(told).encode("utf-8", "surrogateescape")
server.sendmsg([len(message).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
server.sendall(message)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, lambda number, _: server.sendall(bytes([number])))
status = int.from_bytes(server.recv(1) or b"\\1", "big", signed=True)
if status < 0:
    signal.signal(-status, signal.SIG_DFL) if -status not in (signal.SIGKILL, signal.SIGSTOP) else None
    os.kill(os.getpid(), -status)
os._exit(status % 256)
"""


class Warm:
    """A server of this process, started at its first use."""

    def __init__(self) -> None:
        self.folder: Path | None = None

    def client(self) -> Path:
        """A program that runs a Python script as `python` does; its arguments follow."""
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="warm-"))
            address = str(self.folder / "socket")
            program = self.folder / "python"
            program.write_text(CLIENT.format(python=sys.executable, address=address))
            program.chmod(0o755)
            server = subprocess.Popen([sys.executable, __file__, address, str(program)])
            while not Path(address).exists():
                assert server.poll() is None, "the server of the tests did not start"
                time.sleep(0.05)
        return self.folder / "python"


WARM = Warm()


def serve(address: str, program: str) -> None:
    """Import what jobs use, then fork for whoever connects; end with the process that started this one."""
    for name in PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"{address}.new")
    listening.listen(64)
    os.rename(f"{address}.new", address)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    started_by = os.getppid()
    while os.getppid() == started_by:
        if not select.select([listening], [], [], 1.0)[0]:
            continue
        asked, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            attend(asked, program)
        asked.close()
    shutil.rmtree(Path(address).parent)


def attend(asked: socket.socket, program: str) -> None:
    """Fork a process that does what is asked for, hand signals on, and answer with its exit status."""
    head, streams, _, _ = socket.recv_fds(asked, 8, 3)
    (length,) = struct.unpack(">Q", head)
    message = b""
    while len(message) < length:
        message += asked.recv(1 << 20)
    folder, count, *told = message.decode("utf-8", "surrogateescape").split("\0")
    arguments, environment = told[: int(count)], dict(pair.split("=", 1) for pair in told[int(count) :])
    child = os.fork()
    if child == 0:
        asked.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        ending(lambda: work(arguments, program))
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(child)
    number = b" "
    while number and ended not in select.select([ended, asked], [], [])[0]:
        number = asked.recv(1)
        os.kill(child, number[0] if number else signal.SIGKILL)  # without a number, whoever asked is gone
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(OSError):
        asked.sendall((status if status < 128 else status - 256).to_bytes(1, "big", signed=True))
    os._exit(0)


def work(arguments: list[str], program: str) -> None:
    """As `python` with these arguments: `-m` and a module, or a script."""
    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    if arguments[0] == "-m":
        sys.executable = program  # by which Snakemake starts its jobs
        sys.argv = arguments[1:]
        sys.path.insert(0, os.getcwd())
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


def ending(run: Callable[[], Any]) -> None:
    """Run something and end this process, as an interpreter does at its end."""
    status = 0
    try:
        run()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # type: ignore[attr-defined] - waits for threads
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


if __name__ == "__main__":
    serve(*sys.argv[1:])
