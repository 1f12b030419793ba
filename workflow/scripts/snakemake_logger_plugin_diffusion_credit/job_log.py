"""What a job says in its log, which `job.py` writes, wherever the job ran."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

RECORD = re.compile(r"[\d-]+ [\d:,]+ \d+ (DEBUG|INFO|WARNING|ERROR) (.*)")
START = "started on "


class Words(NamedTuple):
    level: str
    text: str  # of several lines where a traceback follows an error


def latest(logs: Iterable[str]) -> list[Words]:
    """What the latest attempt wrote, oldest first; nothing where there is no log, or another program's."""
    words: list[Words] = []
    for log in logs:
        try:
            lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            if record := RECORD.fullmatch(line):
                words.append(Words(*record.groups()))
            elif words and words[-1].level == "ERROR":
                words[-1] = words[-1]._replace(text=f"{words[-1].text}\n{line}")
    starts = [i for i, (_, text) in enumerate(words) if text.startswith(START)]
    return words[starts[-1] + 1 :] if starts else words


def says_something(log: str) -> bool:
    """Is there a log to read? After a failure Snakemake makes an empty one where the job made none."""
    path = Path(log)
    return path.exists() and path.stat().st_size > 0


def why_it_failed(words: list[Words]) -> str | None:
    """The sentence that a job ended with; for a traceback its last line."""
    ends = [text for level, text in words if level == "ERROR" or text.startswith("stopped by ")]
    if not ends or ends[-1].startswith("Error: "):
        return ends[-1] if ends else None
    first, *trace = ends[-1].splitlines()
    return f"{first}: {trace[-1]}" if trace else first
