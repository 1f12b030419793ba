"""The base of every section of the configuration, and of every registered module's `Options`."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Unknown keys, numbers as text, NaN and infinity are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
