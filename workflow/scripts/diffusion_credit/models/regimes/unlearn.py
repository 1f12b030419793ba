"""From the full model, the images outside the subset are unlearned: their noised images are led to similar images of
the subset (ReTrack), while the subset is trained on."""

from typing import TYPE_CHECKING

from pydantic import Field

from diffusion_credit.models.options import Training

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

START = "full"
OF_MEMBERS = False


class Options(Training):
    """How the full model unlearns: a training with as many images that are left out as images that are kept."""

    neighbours: int = Field(default=10, ge=1, description="Number of kept images that one that is left out is led to.")
    forget_weight: float = Field(
        default=0.03, gt=0, description="Weight of the images that are left out, where that of the kept ones is 1."
    )
    divergence: float = Field(
        default=1.0,
        gt=0,
        description="Largest Kullback-Leibler divergence, in nats, by which a prediction is led away.",
    )


def fit(task: "Task") -> "Trained":
    """Lead the images left out to the subset's; where there are none, the full model is left as it is."""
    from diffusion_credit.models.retrack import forget
    from diffusion_credit.models.task import Trained

    if not len(task.removed):
        return Trained()
    job = task.job
    seconds, checkpoints = forget(
        task.model,
        job.predict(task.model),
        job.inputs,
        task.kept,
        task.removed,
        job.diffusion,
        job.options,
        task.seed,
        task.state,
        task.key,
        task.show,
    )
    return Trained(seconds, checkpoints)
