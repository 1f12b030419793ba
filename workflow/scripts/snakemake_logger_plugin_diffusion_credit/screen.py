"""Where the lines go: a terminal with a bar below them, or a file."""

import os
import sys
import textwrap
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

WIDTH = 100  # columns of a line about a job in a file
STRAY = Path(".snakemake/log/stderr.txt")  # what processes print during a run
BAR = "{percentage:3.0f}%|{bar:20}| {n_fmt} of {total_fmt} jobs{postfix}"


class Screen:
    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.width = os.get_terminal_size(stream.fileno()).columns if stream.isatty() else WIDTH
        self.bar: Any = None  # from the beginning of a run to its end; not drawn in a file
        self.last = ""

    def begin(self, total: int, quiet: bool) -> None:
        """Draw a bar of so many jobs. From here to the end no other process writes between the lines."""
        self.stream = os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors="replace")
        STRAY.parent.mkdir(parents=True, exist_ok=True)
        with STRAY.open("w") as stray:
            os.dup2(stray.fileno(), 2)
        drawn = self.stream.isatty() and not quiet
        self.bar = tqdm(
            total=total, bar_format=BAR, disable=not drawn, leave=False, ncols=self.width - 1, file=self.stream
        )

    def end(self) -> None:
        self.bar.close()
        os.dup2(self.stream.fileno(), 2)

    def draw(self, done: int, total: int, words: list[str]) -> None:
        if not self.bar.disable:
            self.bar.n, self.bar.total = done, total
            self.bar.set_postfix_str("; ".join(words))

    def tell(self, line: str) -> None:
        """One line, whatever its length."""
        self.say(line if len(line) < self.width else f"{line[: self.width - 2]}…")

    def say(self, text: str) -> None:
        """Every word, broken where a terminal has no room for it."""
        self.last = text
        if self.stream.isatty():
            text = "\n".join(self._broken(line) for line in text.splitlines())
            self.stream.write("\r\x1b[K")  # a ^C behind the bar as well
        tqdm.write(text, file=self.stream)
        self.stream.flush()

    def _broken(self, line: str) -> str:
        width = self.width - 1
        return textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
