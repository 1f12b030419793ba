"""How the full model is pruned."""

from pydantic import Field

from diffusion_credit.base.options import Section
from diffusion_credit.models.options import Training


class Pruning(Section):
    """Structural magnitude pruning of the full model, and its re-fit on everyone's images."""

    ratio: float = Field(
        gt=0,
        lt=1,
        description="Share of each layer's channels to remove, of a transformer's heads and of the hidden units of its"
        " MLPs, or of each adapter's ranks. It is rounded to what the layer allows.",
    )
    time_embedding: bool = Field(default=False, description="Prune the widths of a U-Net's time embedding as well.")
    refit: Training = Field(description="Training of the pruned model on everyone's images.")
