"""The exceptions that a user is meant to read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from diffusion_credit.base.names import printable


class UserError(Exception):
    """One sentence: the file or config key, what was found, what was expected.

    It is one line whatever it names: files, keys and contributors may have any name.
    """

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Puts the name of the file that it is about before the sentence of a UserError."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


class Stopped(BaseException):  # as KeyboardInterrupt: no library's `except Exception` may swallow it
    """The process was asked to stop. What was made so far is kept, and the next run goes on from there."""
