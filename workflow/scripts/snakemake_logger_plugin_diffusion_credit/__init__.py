"""What Snakemake prints while a study runs: a line a job, a bar with the time left, and last of all what matters.

`profiles/default` names it. Its lines come from Snakemake's events and from the jobs' logs, so that it makes no
difference where a job ran. Snakemake's own text is in .snakemake/log. It is printed instead in a dry run, and for
whoever asks for less or more: --quiet, --printshellcmds, --verbose, --debug-dag.
"""

import os
import re
import sys
import textwrap
import time
from logging import INFO, LogRecord
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from tqdm import tqdm

from . import job_log
from .time_left import TimeLeft, in_words

GO_ON = "Stopped: what was made so far is kept; run the same command again to go on."
WIDTH = 100  # columns of a line about a job in a file
STRAY = Path(".snakemake/log/stderr.txt")  # what processes print before they have a log, or without
# What Snakemake says before every run and after every failure
ROUTINE = ("Assuming unrestricted", "Using shell", "Conda environments: ignored", "Singularity containers: ignored")
FAILED_RUN = "At least one job did not complete successfully."
STOPPING = ("Terminating processes on user request", "Will exit after finishing currently running jobs")
FAILED_COMMAND = re.compile(r"CalledProcessError.* (returned non-zero exit status \d+|died with <.*?>)", re.DOTALL)
BAR = "{percentage:3.0f}%|{bar:20}| {n_fmt} of {total_fmt} jobs{postfix}"


class Job(NamedTuple):
    rule: str
    name: str  # the rule and its wildcards
    outputs: list[str]
    logs: list[str]
    began: float


class LogHandler(LogHandlerBase):
    has_filter = True
    has_formatter = True
    writes_to_file = False
    needs_rulegraph = False

    @property
    def writes_to_stream(self) -> bool:
        """Snakemake prints its own text where this handler says that it prints none."""
        asked = self.common_settings
        return not (asked.dryrun or asked.quiet or asked.printshellcmds or asked.verbose or asked.debug_dag)

    def __post_init__(self) -> None:
        self.stream = sys.stderr
        self.width = os.get_terminal_size(2).columns if sys.stderr.isatty() else WIDTH
        self.bar: Any = None  # None until a run begins
        self.jobs: dict[int, Job] = {}
        self.running: dict[int, Job] = {}
        self.failed: dict[str, str] = {}  # name of a job -> its sentence
        self.status = "failed"  # of the last command that failed
        self.incomplete = self.stopping = False
        self.last = ""
        self.warned: set[str] = set()
        self.ended = Event()
        if self.writes_to_stream:
            sys.excepthook = _ctrl_c_without_traceback

    def emit(self, record: LogRecord) -> None:
        if self.writes_to_stream:
            try:
                self._handle(record)
                self._draw()
            except Exception:
                self.handleError(record)

    def _handle(self, record: Any) -> None:
        match getattr(record, "event", None):
            case LogEvent.RUN_INFO:
                self._begin({rule: count for rule, count in record.stats.items() if rule != "total"})
            case LogEvent.JOB_INFO:
                name = f"{record.rule_name} {'/'.join(map(str, record.wildcards.values()))}".strip()
                job = Job(record.rule_name, name, [*record.output], [*record.log], time.monotonic())
                self.jobs[record.jobid] = self.running[record.jobid] = job
            case LogEvent.JOB_FINISHED:
                self._finish(self.running.pop(record.job_id))
            case LogEvent.PROGRESS:
                self.bar.total = record.total  # grows where a checkpoint finds that there is more to do
            case LogEvent.JOB_ERROR:
                self.running.pop(record.jobid, None)
                self._fail(record)
            case LogEvent.ERROR:
                self._complain(record.getMessage())
            case None:
                self._hear(record.levelno, record.getMessage())

    def _begin(self, jobs: dict[str, int]) -> None:
        # From here to the end nobody else writes between these lines.
        self.stream = os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors="replace")
        STRAY.parent.mkdir(parents=True, exist_ok=True)
        with STRAY.open("w") as stray:
            os.dup2(stray.fileno(), 2)
        self.began = time.monotonic()
        self.time_left = TimeLeft(jobs)
        self.bar = tqdm(
            total=sum(jobs.values()), bar_format=BAR, disable=None, leave=False, ncols=self.width - 1, mininterval=0,
            file=self.stream,
        )  # fmt: skip
        self.bar.n = 0  # counted here, since a bar that is not drawn does not count
        Thread(target=self._keep_drawing, daemon=True).start()

    def _finish(self, job: Job) -> None:
        seconds = time.monotonic() - job.began
        self.time_left.finished(job.rule, seconds)
        self.bar.n += 1
        self.failed.pop(job.name, None)  # an earlier attempt
        words = job_log.latest(job.logs)
        for level, text in words:
            if level == "WARNING":
                self._warn(f"{job.rule}: {text}")
        told = [text.removeprefix(f"{job.outputs[0]}: ") for level, text in words if level == "INFO"]
        if job.logs:  # `all` has none
            line = f"{self.bar.n} of {self.bar.total}  {job.name}, {_clock(seconds)}: {(told or ['done'])[-1]}"
            self._say(line if len(line) < self.width else f"{line[: self.width - 2]}…")

    def _fail(self, record: Any) -> None:
        job = self.jobs.get(record.jobid)
        sentence = job_log.why_it_failed(job_log.latest(job.logs if job else record.log))
        if "SIGINT" in (sentence or self.status):  # Ctrl-C; Snakemake itself may not have noticed yet
            self.stopping, self.status = True, "failed"
            return
        executor, _, _ = (record.rule_msg or "").partition("\n    ")  # a scheduler's reason; what follows are details
        if sentence is None:
            reason = executor or f"{self.status} and does not say why"
            sentence = f"{reason} (see {' and '.join([*record.log, str(STRAY)])})"
        elif executor and not sentence.startswith("Error: "):
            sentence = f"{executor} {sentence}"
        name = job.name if job else record.rule_name
        self.failed[name] = sentence
        self._say(f"{name}: {sentence}")

    def _complain(self, text: str) -> None:
        """An exception as Snakemake words it, without where in the Snakefile it came from."""
        if command := FAILED_COMMAND.search(text):
            self.status = command[1]  # the event of the job follows
            return
        lines = [line for line in text.splitlines() if not line.startswith('  File "')]
        if len(lines) > 1 and re.fullmatch(r"WorkflowError( in .*)?:", lines[0]):
            del lines[0]
        if lines == [FAILED_RUN]:
            self.incomplete = True
            return
        self._say("\n".join(lines))
        if self.bar is not None:
            self.failed[self.last] = ""

    def _hear(self, level: int, text: str) -> None:
        if level > INFO:
            if not text.startswith("Exiting because a job execution failed"):
                self._warn(text)
        elif text.startswith(STOPPING):
            self.stopping = True
            self._say("Stopping: the jobs at work save their state.")
        elif again := re.match(r"Trying to restart job (\d+)", text):
            self._say(f"{self.jobs[int(again[1])].name}: is tried again")
        elif self.bar is None and not text.startswith(ROUTINE):
            self._say(text)

    def _warn(self, text: str) -> None:
        if text not in self.warned:
            self.warned.add(text)
            self._say(text)

    def _say(self, text: str) -> None:
        self.last = text
        if self.stream.isatty():
            text = "\n".join(self._wrapped(line) for line in text.splitlines())
            self.stream.write("\r\x1b[K")  # a ^C behind the bar as well
        tqdm.write(text, file=self.stream)
        self.stream.flush()

    def _wrapped(self, line: str) -> str:
        width = self.width - 1
        return textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)

    def _draw(self) -> None:
        """The bar: the share done, the time left, and what the job that has run longest says."""
        if self.bar is None or self.bar.disable or self.ended.is_set():
            return
        now = time.monotonic()
        running = [(job.rule, now - job.began) for job in self.running.values()]
        seconds = self.time_left.estimate(running, now - self.began)
        parts = [] if seconds is None else [f"about {in_words(seconds)} left"]
        for job in [*self.running.values()][:1]:
            words = job_log.latest(job.logs)
            parts.append(": ".join([job.name, *(text for _, text in words[-1:])]).splitlines()[0])
        self.bar.set_postfix_str("; ".join(parts))

    def _keep_drawing(self) -> None:
        while not self.ended.wait(1.0):
            with self.lock:  # type: ignore[union-attr]
                self._draw()

    def close(self) -> None:
        """The last words: Snakemake calls this at its end, whatever that is, and more than once."""
        if not self.ended.is_set() and self.bar is not None:
            self.ended.set()
            self.bar.close()
            if self.bar.n == self.bar.total:
                self._say(f"{self.bar.total} jobs done in {_clock(time.monotonic() - self.began)}.")
            elif self.incomplete:
                lines = [f"{name}: {sentence}".removesuffix(": ") for name, sentence in self.failed.items()]
                if lines and lines != [self.last]:
                    self._say(f"{self.bar.n} of {self.bar.total} jobs are done. These failed:")
                    for line in lines:
                        self._say(line)
                if self.stopping or not lines:
                    self._say(GO_ON)
            os.dup2(self.stream.fileno(), 2)
        super().close()


def _ctrl_c_without_traceback(kind: type[BaseException], value: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print(GO_ON, file=sys.stderr)
    else:
        sys.__excepthook__(kind, value, trace)


def _clock(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
