"""How the models of subsets are made."""

from pydantic import Field

from diffusion_credit.base.options import Section
from diffusion_credit.study.sections.training import Training


class Pruning(Section):
    """Structural magnitude pruning of the full model, and its re-fit on everyone's images."""

    ratio: float = Field(
        gt=0, lt=1, description="Share of each layer's channels to remove, or of each adapter's ranks; rounded."
    )
    time_embedding: bool = Field(default=False, description="Prune the widths of a U-Net's time embedding as well.")
    refit: Training = Field(description="Training of the pruned model on everyone's images.")


class Influence(Section):
    """One Newton step away from the images that are left out (WoodFisher), without any training.

    Keeps `gradients` copies of the weights in memory.
    """

    gradients: int = Field(ge=1, description="Mini-batch gradients that the Fisher matrix is made of.")
    batch_size: int = Field(ge=1, description="Images a gradient.")
    draws: int = Field(default=1, ge=1, description="Timesteps and noises drawn for each image that is left out.")
    damping: float = Field(gt=0, description="Added to the Fisher matrix's diagonal; larger steps less far.")


class Regimes(Section):
    """How a subset's model is made, one training per regime."""

    sparse: Training = Field(description="From the re-fitted pruned model: sparsified fine-tuning.")
    retrain: Training = Field(description="From scratch and unpruned: the truth that the others are judged by.")
    finetune: Training | None = Field(default=None, description="From the full model; needed only where it is used.")
    gradient_ascent: Training | None = Field(
        default=None, description="From the full model, climbing the loss of the images left out; likewise."
    )
    influence: Influence | None = Field(default=None, description="From the full model, by influence; likewise.")
    conditional: Training | None = Field(
        default=None,
        description="One model of everyone that is told each image's contributor; a subset's images are those of its"
        " contributors (SurrogateSHAP). Needed only by a game of this regime.",
    )
