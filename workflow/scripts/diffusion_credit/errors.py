"""The exceptions that a user is meant to read."""


class UserError(Exception):
    """One sentence: the file or config key, what was found, what was expected."""


class Stopped(Exception):
    """The process was asked to stop. What was made so far is kept, and the next run goes on from there."""
