"""Pruning: a module that is a `Pruning` for each kind of network, named after it.

They stand apart from the networks, so that an edit here retrains no full model.
"""

from typing import TYPE_CHECKING, Any, Protocol


class Pruning(Protocol):
    """What a module of this package holds."""

    def prune(self, model: Any, architecture: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """Prune in place, and return the pruned network's architecture.

        options: of the study's `pruning`, without `refit`.
        """


if TYPE_CHECKING:  # mypy compares each with the protocol
    from diffusion_credit.models.pruning import dit, lora, unet

    _: list[Pruning] = [unet, dit, lora]
