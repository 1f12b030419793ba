"""What Snakemake prints while a study runs: a line a job, a bar with the time left, and last of all what matters.

`profiles/default` names it. Its lines come from Snakemake's events and from the jobs' logs, so that it makes no
difference where a job ran. Snakemake's own text is in .snakemake/log, and is printed instead for whoever asks for more:
--printshellcmds, --verbose, --debug-dag.
"""

import re
import sys
import time
from collections.abc import Iterator
from logging import INFO, LogRecord
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from . import job_log
from .screen import STRAY, Screen
from .time_left import TimeLeft, in_words

GO_ON = "Stopped: what was made so far is kept; run the same command again to go on."
# What Snakemake says in every run, and after every failure
ROUTINE = (
    "Assuming unrestricted",
    "Using shell",
    "Conda environments: ign",
    "Singularity containers: ign",
    "Reasons:",
    "SLURM run ID",
    "Some jobs were triggered by provenance",  # with advice that would keep what is out of date
)
EXITING = "Exiting because a job execution failed."
NOT_YAML = "Config file is not valid"
FAILED_RUN = "At least one job did not complete successfully."
STOPPING = ("Terminating processes on user request", "Will exit after finishing currently running jobs")
FAILED_COMMAND = re.compile(r"CalledProcessError.* (returned non-zero exit status \d+|died with <.*?>)", re.DOTALL)
DETAILS = re.compile(r"\n    |Detailed failure reason unavailable|For further error details")  # of a scheduler's reason


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
        return not (asked.printshellcmds or asked.verbose or asked.debug_dag)

    def __post_init__(self) -> None:
        self.screen = Screen(sys.stdout if self.common_settings.stdout else sys.stderr)
        self.quiet = {choice.name for choice in self.common_settings.quiet or ()}
        self.plan = ""  # of a dry run
        self.jobs: dict[int, Job] = {}
        self.running: dict[int, Job] = {}
        self.done = self.total = 0
        self.failed: dict[str, str] = {}  # name of a job -> its sentence
        self.status = "failed"  # of the last command that failed
        self.incomplete = self.stopping = False
        self.warned: set[str] = set()
        self.ended = Event()
        if self.writes_to_stream:
            sys.excepthook = _ctrl_c_without_traceback

    def emit(self, record: LogRecord) -> None:
        dry = self.common_settings.dryrun
        if not self.writes_to_stream or ("ALL" in self.quiet and not dry):
            return
        try:
            self._plan(record) if dry else self._follow(record)
        except Exception:
            self.handleError(record)

    def _plan(self, record: Any) -> None:
        """A dry run: what would run and why, then the number of jobs of each rule, which Snakemake says twice."""
        match getattr(record, "event", None):
            case LogEvent.RUN_INFO:
                if self.plan or "RULES" in self.quiet:
                    self._warn(record.getMessage())
                self.plan = record.getMessage()
            case LogEvent.JOB_INFO if "RULES" not in self.quiet:
                self.screen.tell(_name(record) if "REASON" in self.quiet else f"{_name(record)}: {record.reason}")
            case LogEvent.ERROR:
                self._complain(record.getMessage())
            case None:
                self._hear(record.levelno, record.getMessage())

    def _follow(self, record: Any) -> None:
        match getattr(record, "event", None):
            case LogEvent.RUN_INFO:
                self._begin({rule: count for rule, count in record.stats.items() if rule != "total"})
            case LogEvent.JOB_INFO:
                job = Job(record.rule_name, _name(record), [*record.output], [*record.log], time.monotonic())
                self.jobs[record.jobid] = self.running[record.jobid] = job
            case LogEvent.JOB_FINISHED:
                self._finish(self.running.pop(record.job_id))
            case LogEvent.PROGRESS:
                self.total = record.total  # grows where a checkpoint finds that there is more to do
            case LogEvent.JOB_ERROR:
                self.running.pop(record.jobid, None)
                self._fail(record)
            case LogEvent.ERROR:
                self._complain(record.getMessage())
            case None:
                self._hear(record.levelno, record.getMessage())
        self._draw()

    def _begin(self, jobs: dict[str, int]) -> None:
        self.began = time.monotonic()
        self.total = sum(jobs.values())
        self.time_left = TimeLeft(jobs)
        self.screen.begin(self.total, quiet="PROGRESS" in self.quiet)
        Thread(target=self._keep_drawing, daemon=True).start()

    def _finish(self, job: Job) -> None:
        seconds = time.monotonic() - job.began
        self.time_left.finished(job.rule, seconds)
        self.done += 1
        self.failed.pop(job.name, None)  # an earlier attempt
        words = job_log.latest(job.logs)
        for level, text in words:
            if level == "WARNING":
                self._warn(f"{job.rule}: {text}")
        told = [text.removeprefix(f"{job.outputs[0]}: ") for level, text in words if level == "INFO"] or ["done"]
        if job.logs and "RULES" not in self.quiet:  # `all` has none
            self.screen.tell(f"{self.done} of {self.total}  {job.name}, {_clock(seconds)}: {told[-1]}")
            for text in (path for path in job.outputs if path.endswith(".txt")):  # made to be read at once
                self.screen.say(Path(text).read_text(encoding="utf-8").rstrip())

    def _fail(self, record: Any) -> None:
        job = self.jobs.get(record.jobid)
        sentence = job_log.why_it_failed(job_log.latest(job.logs if job else record.log))
        if "SIGINT" in (sentence or self.status):  # Ctrl-C, which Snakemake itself may not have noticed yet
            self.stopping, self.status = True, "failed"
        if self.stopping and (sentence is None or sentence.startswith("stopped by ")):
            return
        scheduler = DETAILS.split(record.rule_msg or "")[0].strip()
        if sentence is None:
            reason = scheduler or f"{self.status} and does not say why"
            places = [log for log in record.log if job_log.says_something(log)] + [str(STRAY)] * (not scheduler)
            sentence = f"{reason} (see {' and '.join(places)})" if places else reason
        elif scheduler and not sentence.startswith("Error: "):
            sentence = f"{scheduler} {sentence}"
        name = job.name if job else record.rule_name
        self.failed[name] = sentence
        self.screen.say(f"{name}: {sentence}")

    def _complain(self, text: str) -> None:
        """An exception as Snakemake words it, without where in the Snakefile it came from."""
        if command := FAILED_COMMAND.search(text):
            self.status = command[1]  # the event of the job follows
            return
        lines = [line for line in text.splitlines() if not line.startswith('  File "')]
        if len(lines) > 1 and re.fullmatch(r"WorkflowError( in .*)?:", lines[0]):
            del lines[0]
        if lines[-1].startswith(NOT_YAML):
            lines = [*_wrong_configs()] or lines
        if lines == [FAILED_RUN]:
            self.incomplete = True
            return
        self.screen.say("\n".join(lines))
        self.failed[self.screen.last] = ""

    def _hear(self, level: int, text: str) -> None:
        if level > INFO:
            if not text.startswith(EXITING):
                self._warn(text)
        elif text.startswith(STOPPING):
            self.stopping = True
            self.screen.say("Stopping: the jobs at work save their state.")
        elif again := re.match(r"Trying to restart job (\d+)", text):
            self.screen.say(f"{self.jobs[int(again[1])].name} is tried again")
        elif not self.total and not text.strip().startswith(ROUTINE):
            self.screen.say(text)

    def _warn(self, text: str) -> None:
        if text not in self.warned:
            self.warned.add(text)
            self.screen.say(text)

    def _draw(self) -> None:
        """The share done, the time left, and what the job that has run longest says."""
        if not self.total or self.ended.is_set():
            return
        now = time.monotonic()
        running = [(job.rule, now - job.began) for job in self.running.values()]
        seconds = self.time_left.estimate(running, now - self.began)
        words = [] if seconds is None else [f"about {in_words(seconds)} left"]
        for job in [*self.running.values()][:1]:
            said = [text.splitlines()[0] for _, text in job_log.latest(job.logs)[-1:]]
            words.append(": ".join([job.name, *said]))
        self.screen.draw(self.done, self.total, words)

    def _keep_drawing(self) -> None:
        while not self.ended.wait(1.0):
            with self.lock:  # type: ignore[union-attr]
                self._draw()

    def close(self) -> None:
        """The last words: Snakemake calls this at its end, whatever that is, and more than once."""
        with self.lock:  # type: ignore[union-attr]
            if self.total and not self.ended.is_set():
                self.ended.set()
                self.screen.end()
                self._conclude()
        super().close()

    def _conclude(self) -> None:
        if self.done == self.total:
            self.screen.say(f"{self.total} jobs done in {_clock(time.monotonic() - self.began)}.")
        elif self.incomplete:
            lines = [f"{name}: {sentence}".removesuffix(": ") for name, sentence in self.failed.items()]
            if lines and lines != [self.screen.last]:
                self.screen.say(f"{self.done} of {self.total} jobs are done. These failed:")
                for line in lines:
                    self.screen.say(line)
            if self.stopping or not lines:
                self.screen.say(GO_ON)


def _ctrl_c_without_traceback(kind: type[BaseException], value: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print(GO_ON, file=sys.stderr)
    else:
        sys.__excepthook__(kind, value, trace)


def _wrong_configs() -> Iterator[str]:
    """What is wrong, and where, with the files of options of this command; Snakemake does not say."""
    from diffusion_credit.base.errors import UserError
    from diffusion_credit.base.yaml_files import read_yaml

    given = [argument.partition("=")[2] or argument for argument in sys.argv[1:]]
    for path in [Path(each) for each in dict.fromkeys([*given, "config/config.yaml"])]:
        if path.suffix in (".yaml", ".yml", ".json") and path.is_file():
            try:
                read_yaml(path)
            except UserError as error:
                yield f"config: {error}"


def _name(record: Any) -> str:
    return f"{record.rule_name} {'/'.join(map(str, record.wildcards.values()))}".strip()


def _clock(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
