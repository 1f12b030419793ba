"""The exceptions that a user is meant to read."""


class UserError(Exception):
    """One sentence: the file or config key, what was found, what was expected."""


class Stopped(BaseException):  # as KeyboardInterrupt: no library's `except Exception` may swallow it
    """The process was asked to stop. What was made so far is kept, and the next run goes on from there."""
