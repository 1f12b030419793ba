"""How much less likely generated images become when the model unlearns a contributor: GUDA.

Source: Murata et al., arXiv 2601.22651.
"""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from diffusion_credit.base.options import BaselineSection


class Options(BaselineSection):
    """How much less likely the generated images become, by the evidence lower bound (ELBO), without the contributor.

    Models without one contributor are those of a leave-one-out game whose regime unlearns.
    """

    scores: ClassVar[Literal["contributors"]] = "contributors"  # type: ignore[misc]

    kind: Literal["elbo"]
    game: str = Field(description="Name of a game of kind `leave-one-out`, in a regime that unlearns.")
    timesteps: int = Field(default=100, ge=1, description="Number of noise levels, evenly spaced, with one noise each.")
    images: int | None = Field(
        default=None, ge=1, description="Number of the full model's images that count, the first ones. Without it all."
    )

    def needs_game(self) -> str | None:
        return self.game


def differences(full: np.ndarray, without: np.ndarray) -> np.ndarray:
    """Negative ELBO (n, images) of the models without one contributor, less that of the full one: (images, n)."""
    return (without - full).T
