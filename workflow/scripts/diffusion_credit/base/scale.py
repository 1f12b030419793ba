"""The scale on which a property is credited: its own, or its logarithm.

A table of utilities says by the name of its last column which one its values have. On the logarithm differences are
factors of the property.
"""

from typing import Literal

import numpy as np

from diffusion_credit.base.errors import UserError

Transform = Literal["none", "log"]
COLUMN: dict[str, Transform] = {"value": "none", "log_value": "log"}  # of a table, and what it holds


def column_of(transform: Transform) -> str:
    """The name of the column that holds values of this scale."""
    return next(name for name, each in COLUMN.items() if each == transform)


def named(prop: str, transform: str) -> str:
    """What is credited, by the property's name."""
    return f"log {prop}" if transform == "log" else prop


def transformed(values: np.ndarray, transform: Transform, names: list[str]) -> np.ndarray:
    """Measured values (rows,) on the scale that is credited. names: of the rows, for messages.

    Raises UserError on a value that has no logarithm.
    """
    if transform == "none":
        return values
    wrong = np.flatnonzero(values <= 0)
    if len(wrong):
        raise UserError(
            f"found the value {values[wrong[0]]:g} of {names[wrong[0]]}, expected values above 0: only these have a"
            " logarithm"
        )
    return np.log(values)


def changed(difference: float, transform: str) -> float:
    """A difference of two values: of logarithms the change of the property in percent, else as it is."""
    return 100 * float(np.expm1(difference)) if transform == "log" else difference


def measured(value: float, transform: str) -> float:
    """A value in the property's own units."""
    return float(np.exp(value)) if transform == "log" else value
