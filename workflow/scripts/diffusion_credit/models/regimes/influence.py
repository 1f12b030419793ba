"""From the full model, the images outside the subset are unlearned by one Newton step (influence functions)."""

from functools import partial
from typing import TYPE_CHECKING

from pydantic import Field

from diffusion_credit.base.options import Section
from diffusion_credit.base.seeds import named_seed

if TYPE_CHECKING:  # the Snakefile reads this module for its Options; PyTorch takes seconds
    from diffusion_credit.models.task import Task, Trained

START = "full"
OF_MEMBERS = False


class Options(Section):
    """One Newton step away from the images that are left out (WoodFisher), without any training.

    Keeps `gradients` copies of the weights in memory.
    """

    gradients: int = Field(ge=1, description="Number of mini-batch gradients that the Fisher matrix is made of.")
    batch_size: int = Field(ge=1, description="Images in each of these gradients.")
    draws: int = Field(default=1, ge=1, description="Timesteps and noises drawn for each image that is left out.")
    damping: float = Field(
        gt=0, description="Number added to the diagonal of the Fisher matrix. A larger one makes a shorter step."
    )


def fit(task: "Task") -> "Trained":
    """One step with the full model's curvature, which all subsets of a job share."""
    from diffusion_credit.models.task import Trained
    from diffusion_credit.models.unlearning import Influence

    job = task.job
    if "influence" not in job.kept:
        seed, show = named_seed(job.seed, "influence"), partial(job.progress, "curvature")
        predict = job.predict(task.model)
        job.kept["influence"] = Influence(task.model, predict, job.inputs, job.diffusion, job.options, seed, show)
    job.kept["influence"].forget(task.removed, len(task.kept), task.show)
    return Trained()
