"""The time that a cluster's jobs may take."""

# The base of the registered regimes exists at run time only.
# mypy: disable-error-code="misc"

from pydantic import Field

from diffusion_credit.base.options import Section
from diffusion_credit.study.sections.regimes import RegimeMinutes


class ModelMinutes(RegimeMinutes):
    """Minutes that one model may take at most, by regime, and one model's images."""

    autoencoder: float = Field(default=240, gt=0, description="An autoencoder that the study trains.")
    generation: float = Field(default=10, gt=0, description="The images of one model.")
    features: float = Field(default=5, gt=0, description="The features of one model's images, by one extractor.")
    gradients: float = Field(default=240, gt=0, description="All gradients of one entry of `gradients`.")
    scores: float = Field(default=60, gt=0, description="All scores of one entry of `baselines`.")
    losses: float = Field(
        default=10, gt=0, description="The losses of single images under one model, or how likely it holds them to be."
    )


class Limits(Section):
    """Time limits of a cluster's jobs. A job may take start + batch x minutes, and each further attempt as much again.

    They change no result. A job that runs into its limit keeps what it made, and its next attempt goes on from there.
    """

    start: float = Field(default=10, gt=0, description="Minutes that a job may take before its first model.")
    minutes: ModelMinutes = ModelMinutes()
    longest: int = Field(default=1440, ge=1, description="No job asks for more minutes than this.")
