"""Single images as players."""

from pydantic import Field

from diffusion_credit.base.options import Section
from diffusion_credit.models.options import Training


class Regeneration(Section):
    """A generated image, drawn again from its noise by a model without the images that a method says made it."""

    images: int = Field(ge=2, description="Number of generated images that are drawn again. The first ones are taken.")
    removed: int = Field(
        ge=1, description="Number of training images that are removed for each of them: those with the highest scores."
    )
    extractor: str = Field(description="Name of the extractor whose features compare the old and the new image.")


class Local(Section):
    """Which training images made a generated image. Every training image is a player, whoever owns it."""

    validation: int = Field(
        ge=2,
        description="Number of images that are kept from every training. They are drawn at random, and"
        " explained like generated ones.",
    )
    training: int | None = Field(
        default=None,
        ge=2,
        description="Number of training images, drawn at random from the others. Without it all others are taken.",
    )
    generated: int = Field(
        ge=2, description="Number of images of the full model that are explained. The first ones are taken."
    )
    batch_size: int = Field(ge=1, description="Subsets that share a job.")
    retrain: Training | None = Field(
        default=None,
        description="How a model of a subset is trained from scratch. Without it the options of `training` are taken.",
    )
    alpha: float = Field(default=0.5, ge=0.001, lt=1, description="Share of the training images in every subset.")
    subsets: int = Field(default=64, ge=4, description="Number of held-out subsets that judge the scores (LDS).")
    replicates: int = Field(default=3, ge=1, description="Number of training seeds for each held-out subset.")
    tuning: int = Field(
        default=16, ge=4, description="Number of further subsets, with one training each, on which lambda is chosen."
    )
    timesteps: int = Field(
        default=10,
        ge=1,
        description="Number of evenly spaced noise levels that an image's loss is averaged over, with one"
        " noise at each.",
    )
    regeneration: Regeneration | None = Field(
        default=None, description="The counterfactual for single images. Without this section none is made."
    )
    shown: int = Field(
        default=8,
        ge=1,
        description="Number of training images that are listed and drawn for the highest scores of an"
        " image, and for the lowest.",
    )
