"""How far a study is: what is done, in work, out of date and missing at each stage, and how long the rest will take.

What is there the files say, what of it the next run makes again Snakemake's dry run. Nothing is written or locked, so
it can be asked while jobs run, on any machine that sees the files.
"""

from collections import Counter
from pathlib import Path

from diffusion_credit.study.config import Study
from diffusion_credit.study.progress.pending import Pending, whys
from diffusion_credit.study.progress.stages import Stage, stages

WIDTH = 30
TIMED = ("models", "images", "losses", "bounds", "features")  # the stages whose entries say what they took


def print_status(study: Study, results: Path, pending: Pending, command: str) -> None:
    """A line with a bar for each stage, then what is out of date and why, what runs next and how long it may take.

    command: brings the study up to date.
    """
    found = [stage for stage in stages(study, results, pending) if stage.total]
    width = max(len(stage.name) for stage in found)
    digits = max(len(str(stage.total)) for stage in found)
    print(results if pending.jobs or pending.unknown else f"{results}: everything is up to date")
    for stage in found:
        notes = [f"{count} {what}" for count, what in _notes(stage) if count]
        count = f"{stage.done:>{digits}} of {stage.total:<{digits}}"
        print(f"{stage.name:<{width}}  {bar(stage)} {count}  {', '.join(notes)}".rstrip())
    for stage in found:
        for collection, minutes in stage.silent.items():
            print(f"{collection}: begun, but its log has been silent for {minutes:.0f} min")
    if any(stage.outdated for stage in found):
        print("out of date: made with other options, code or inputs than now; the next run makes them again")
    if any(stage.unsure for stage in found):
        print("to check: what they are made from is made again; the next run keeps them if it comes out the same")
    if pending.unknown:
        print(f"What is out of date is unknown, and counted as done. {pending.unknown}")
    elif pending.jobs:
        for line in whys(pending.jobs, results):
            print(f"changed: {line}")
        print(f"to run, or running: {_counted(pending)}")
        print(f"with: {command}")
    if any(job.rule == "check_precision" for job in pending.jobs):
        print("the next look at the standard errors decides whether more subsets follow, which nothing here counts")
    for line in time_left(found):
        print(line)


def _notes(stage: Stage) -> list[tuple[int, str]]:
    return [
        (stage.running, "running"),
        (stage.outdated, "out of date"),
        (stage.unsure, "to check"),
        (stage.missing, "missing"),
        (stage.unneeded, "deleted and not needed any more"),
    ]


def _counted(pending: Pending) -> str:
    """Number of jobs, of all and of each rule, the most frequent rule first."""
    rules = Counter(job.rule for job in pending.jobs)
    return f"{len(pending.jobs)} jobs ({', '.join(f'{rule} {count}' for rule, count in rules.most_common())})"


def time_left(found: list[Stage]) -> list[str]:
    """What is not done, each times the mean of those that are, in sum; and the stages of which none is measured."""
    parts, unknown, total = [], [], 0.0
    for stage in found:
        count = stage.running + stage.outdated + stage.missing
        if count and stage.name.startswith(TIMED):
            if (mean := stage.mean_seconds()) is None:
                unknown.append(stage.name)
            else:
                total += count * mean
                parts.append(f"{stage.name} {count} x {mean:.3g} s")
    lines = []
    if parts:
        lines.append(f"time left: {_duration(total)} for one process ({'; '.join(parts)})")
        lines.append("  without the start of jobs, tables and figures; n jobs at once take about an n-th of it")
    if unknown:
        lines.append(f"time left unknown, because none that is up to date has been timed: {'; '.join(unknown)}")
    return lines


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def bar(stage: Stage) -> str:
    """What is done, in work and missing; rounded down, so that only what is finished looks so."""
    done, begun = (WIDTH * n // stage.total for n in (stage.done, stage.done + stage.running))
    return f"[{'#' * done}{'>' * (begun - done)}{'.' * (WIDTH - begun)}]"
