"""Single images as players."""

from pydantic import Field

from diffusion_credit.base.options import Section
from diffusion_credit.study.sections.training import Training


class Regeneration(Section):
    """Retraining without the images that a method says made a generated image, and drawing it again from its noise."""

    images: int = Field(ge=2, description="Generated images that are drawn again, the first ones.")
    removed: int = Field(ge=1, description="Training images removed for each: those with the highest scores.")
    extractor: str = Field(description="Name of the extractor in whose features the two images are compared.")


class Local(Section):
    """Which training images made an image: every training image is a player, whoever owns it."""

    validation: int = Field(
        ge=2, description="Images kept from every training, drawn at random; explained like generated ones."
    )
    training: int | None = Field(
        default=None, ge=2, description="Images of every training, drawn at random from the others; none: all others."
    )
    generated: int = Field(ge=2, description="Images of the full model that are explained, the first ones.")
    batch_size: int = Field(ge=1, description="Subsets a job.")
    retrain: Training | None = Field(default=None, description="A subset's training from scratch; none: as `training`.")
    alpha: float = Field(default=0.5, ge=0.001, lt=1, description="Share of the training images in every subset.")
    subsets: int = Field(default=64, ge=4, description="Held-out subsets that scores are judged by (LDS).")
    replicates: int = Field(default=3, ge=1, description="Training seeds of each.")
    tuning: int = Field(default=16, ge=4, description="Further subsets, one training each, on which lambda is chosen.")
    timesteps: int = Field(
        default=10,
        ge=1,
        description="Evenly spaced noise levels that an image's loss is averaged over, one noise each.",
    )
    regeneration: Regeneration | None = Field(default=None, description="The counterfactual; left out, none is made.")
    shown: int = Field(
        default=8, ge=1, description="Training images listed and drawn at either end of an image's scores."
    )
