"""The base of every section of the configuration, and of every registered module's `Options`."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Unknown keys, numbers as text, NaN and infinity are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    def needs_weights(self) -> list[str]:
        """Names of the entries of the study's `weights` that this section, without those in it, uses."""
        return []
