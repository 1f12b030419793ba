"""The one exception that a user is meant to read."""


class UserError(Exception):
    """One sentence: the file or config key, what was found, what was expected."""
