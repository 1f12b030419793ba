"""How the models of subsets are made."""

from pydantic import Field

from diffusion_credit.base.options import Section
from diffusion_credit.study.sections.training import Training


class Pruning(Section):
    """Structural magnitude pruning of the full model, and its re-fit on everyone's images."""

    ratio: float = Field(
        gt=0,
        lt=1,
        description="Share of each layer's channels to remove, or of each adapter's ranks. It is rounded"
        " to what the layer allows.",
    )
    time_embedding: bool = Field(default=False, description="Prune the widths of a U-Net's time embedding as well.")
    refit: Training = Field(description="Training of the pruned model on everyone's images.")


class Influence(Section):
    """One Newton step away from the images that are left out (WoodFisher), without any training.

    Keeps `gradients` copies of the weights in memory.
    """

    gradients: int = Field(ge=1, description="Number of mini-batch gradients that the Fisher matrix is made of.")
    batch_size: int = Field(ge=1, description="Images in each of these gradients.")
    draws: int = Field(default=1, ge=1, description="Timesteps and noises drawn for each image that is left out.")
    damping: float = Field(
        gt=0, description="Number added to the diagonal of the Fisher matrix. A larger one makes a shorter step."
    )


class Regimes(Section):
    """How a subset's model is made, one training per regime."""

    sparse: Training = Field(
        description="The re-fitted pruned model is fine-tuned on the subset (sparsified fine-tuning)."
    )
    retrain: Training = Field(
        description="An unpruned model is trained from scratch on the subset. It is the truth that other"
        " regimes are judged by."
    )
    finetune: Training | None = Field(
        default=None,
        description="The full model is fine-tuned on the subset. Needed only by a study that uses this regime.",
    )
    gradient_ascent: Training | None = Field(
        default=None,
        description="The full model climbs the loss of the images left out. Needed only by a study that"
        " uses this regime.",
    )
    influence: Influence | None = Field(
        default=None,
        description="The full model takes one Newton step away from the images left out. Needed only by a"
        " study that uses this regime.",
    )
    conditional: Training | None = Field(
        default=None,
        description="One model of everyone is told each image's contributor. A subset's images are those"
        " that it draws for the subset's contributors (SurrogateSHAP). Needed only by a game"
        " of this regime.",
    )
