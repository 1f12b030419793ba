"""Text of a form that the configuration asks for."""

import re
from typing import Annotated

from pydantic import AfterValidator


def like(pattern: str, words: str) -> AfterValidator:
    """Text that matches a pattern, which a complaint says in words."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(words)
        return text

    return AfterValidator(check)


# Names end up in paths.
Name = Annotated[str, like(r"[A-Za-z0-9_]+", "a name made of a-z, A-Z, 0-9 and _, because folders are named after it")]
