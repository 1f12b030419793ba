"""A private Slurm cluster on this machine: munge, slurmctld, two slurmd, fake GPUs, accounting; below one folder."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "srun")
ACCOUNTING = ("slurmdbd", "mariadbd", "mariadb-install-db", "sacct", "sacctmgr")
SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")  # Debian keeps daemons where an ordinary user's PATH does not look

CONFIGURATION = """
ClusterName=private
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SwitchType=switch/none
MpiDefault=none
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=3600
JobRequeue=1
KillWait=15
SlurmdTimeout=10
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
JobAcctGatherType=jobacct_gather/none
{accounting}
GresTypes=gpu
NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{ports[1]}-{ports[2]}] CPUs=1 RealMemory=64000 Gres=gpu:1
NodeName=n3 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[3]} CPUs=1 RealMemory=64000 State=DOWN
PartitionName=normal Nodes=n[1-2] Default=YES MaxTime=INFINITE PriorityTier=1
PartitionName=urgent Nodes=n[1-2] MaxTime=INFINITE PriorityTier=10 PreemptMode=OFF
PartitionName=without_gpu Nodes=n3 MaxTime=INFINITE
"""

WITH_DATABASE = """AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge.socket
"""

DATABASE = """
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={ports[4]}
SlurmUser={user}
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={ports[5]}
StorageUser=slurm
StorageLoc=slurm
"""


def missing_programs() -> list[str]:
    return [name for name in PROGRAMS + ACCOUNTING if not find(name)]


def find(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *SYSTEM_FOLDERS]))


def free_ports(count: int) -> list[int]:
    """The first of `count` consecutive ports that nobody listens on."""
    for first in range(21000 + count * os.getpid() % 9000, 32000, count):
        sockets = [socket.socket() for _ in range(count)]
        try:
            for port, one in enumerate(sockets, first):
                one.bind(("127.0.0.1", port))
            return list(range(first, first + count))
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    raise RuntimeError("no free ports")


def wait_until(ready: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.1)


class Cluster:
    """Daemons by name, each stopped by its pid; `environment` makes Slurm's commands talk to them."""

    def __init__(self, folder: Path, accounting: bool) -> None:
        self.folder, self.accounting = folder, accounting
        folder.chmod(0o755)
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("state", "spool-n1", "spool-n2", "bin"):
            (folder / name).mkdir()
        # Slurm's users and hosts are this machine's, and its configuration is found by everything started here
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("SLURM_", "SBATCH_"))},
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": os.pathsep.join([str(folder / "bin"), os.environ["PATH"], *SYSTEM_FOLDERS]),
        }
        host = socket.gethostname().split(".")[0]
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        ports = free_ports(6)
        self.settings = dict(host=host, user=user, folder=folder, ports=ports)
        storage = WITH_DATABASE.format(port=ports[4], folder=folder) if accounting else ""
        (folder / "slurm.conf").write_text(CONFIGURATION.format(**self.settings, accounting=storage))
        gpus = "".join(
            f"NodeName={node} Name=gpu File=/dev/{device} Flags=nvidia_gpu_env\n"
            for node, device in (("n1", "zero"), ("n2", "full"))
        )
        (folder / "gres.conf").write_text(gpus)
        (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        # Snakemake's plugin starts srun without SLURM_CONF; a cluster in /etc/slurm does not need it
        self.script("srun", f'SLURM_CONF={folder}/slurm.conf exec {find("srun")} "$@"')

    def script(self, name: str, body: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def start(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        options = {"key-file": key, **{f"{n}-file": self.folder / f"munge.{n}" for n in ("pid", "log", "seed")}}
        arguments = [f"--{name}={value}" for name, value in options.items()]
        self._daemon("munged", "-F", "--force", f"--socket={self.folder}/munge.socket", *arguments)
        wait_until((self.folder / "munge.socket").exists, 20, "munged")
        if self.accounting:
            self._start_database()
        self.start_controller()
        for node in ("n1", "n2"):
            self.start_node(node)
        self.wait_for_nodes()

    def _start_database(self) -> None:
        folder, user, ports = (self.settings[key] for key in ("folder", "user", "ports"))
        install = [str(find("mariadb-install-db")), "--no-defaults", f"--datadir={folder}/database", f"--user={user}"]
        install += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(install, stdout=subprocess.DEVNULL, check=True)
        statements = ("CREATE USER slurm@127.0.0.1", "GRANT ALL ON *.* TO slurm@127.0.0.1")
        (folder / "first.sql").write_text("".join(f"{statement};\n" for statement in statements))
        paths = [f"--datadir={folder}/database", f"--socket={folder}/mariadb.socket", f"--init-file={folder}/first.sql"]
        where = [f"--port={ports[5]}", "--bind-address=127.0.0.1", f"--user={user}", "--skip-name-resolve"]
        self._daemon("mariadbd", "--no-defaults", *paths, *where)
        wait_until((folder / "mariadb.socket").exists, 60, "mariadbd")
        (folder / "slurmdbd.conf").write_text(DATABASE.format(**self.settings))
        (folder / "slurmdbd.conf").chmod(0o600)
        self._daemon("slurmdbd", "-D")
        wait_until(lambda: self.command("sacctmgr", "-nP", "show", "user"), 30, "slurmdbd")
        self.command("sacctmgr", "-i", "add", "cluster", "private")
        self.command("sacctmgr", "-i", "add", "account", "lab")
        self.command("sacctmgr", "-i", "add", "user", str(user), "account=lab")

    def wait_for_nodes(self) -> None:
        idle = {"n1idle", "n2idle"}
        wait_until(lambda: idle <= set(self.command("sinfo", "-hN", "-o%N%t").split()), 60, "two idle nodes")

    def start_controller(self) -> None:
        self._daemon("slurmctld", "-D")

    def start_node(self, node: str) -> None:
        self._daemon("slurmd", "-D", "-N", node, name=node)

    def _daemon(self, program: str, *arguments: str, name: str = "") -> None:
        with (self.folder / "daemons.log").open("ab") as log:
            self.daemons[name or program] = subprocess.Popen(
                [str(find(program)), *arguments], env=self.environment, stdout=log, stderr=log, cwd=self.folder
            )

    def kill(self, name: str) -> None:
        """kill -9 of one daemon, as in a crash."""
        self.daemons[name].kill()
        self.daemons.pop(name).wait()

    def command(self, *words: str) -> str:
        """What one of Slurm's commands prints; empty when it fails, as it may while a daemon is down."""
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout

    def jobs(self, state: str = "all") -> dict[str, str]:
        """Job id -> comment (Snakemake's rule and wildcards) of the jobs in a state."""
        lines = self.command("squeue", "-h", f"--states={state}", "-o%i %k").splitlines()
        return dict(line.split(maxsplit=1) for line in lines)

    def clear(self) -> None:
        """Cancel everything and bring both nodes back, for the next test."""
        if "slurmctld" not in self.daemons:
            self.start_controller()
        for node in {"n1", "n2"} - self.daemons.keys():
            self.start_node(node)
        wait_until(lambda: self.command("scontrol", "ping"), 60, "slurmctld")
        for job in self.jobs("pending,running,suspended,completing,configuring"):
            self.command("scancel", job)
        self.command("scontrol", "update", "nodename=n[1-2]", "state=resume")
        self.wait_for_nodes()

    def stop(self) -> None:
        if "slurmctld" in self.daemons:
            self.command("scancel", "--state=RUNNING", f"--user={self.settings['user']}")
            self.command("scancel", "--state=PENDING", f"--user={self.settings['user']}")
        for daemon in reversed(self.daemons.values()):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self) -> str:
        """The end of each daemon's log, and which daemons have died."""
        dead = [f"{name} ended with {code}" for name, one in self.daemons.items() if (code := one.poll()) is not None]
        ends = [f"== {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in self.folder.glob("*.log")]
        return "\n".join([*dead, self.command("sinfo", "-hN", "-o%N %t %E"), *ends])


@contextmanager
def running_cluster(accounting: bool) -> Iterator[Cluster]:
    """A cluster in a new folder, below a short path because Unix sockets need one."""
    cluster = _started(accounting)
    try:
        yield cluster
    finally:
        cluster.remove()


def _started(accounting: bool, tries: int = 2) -> Cluster:
    """Tried again in a new folder and on new ports: a busy machine may take a port or a second that a daemon needs."""
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="slurm", dir="/tmp")), accounting)
    try:
        cluster.start()
    except Exception as error:
        logs = cluster.logs()
        cluster.remove()
        print(logs)
        if tries == 1:
            raise RuntimeError(f"no cluster: {error}\n{logs}") from error
        return _started(accounting, tries - 1)
    return cluster
