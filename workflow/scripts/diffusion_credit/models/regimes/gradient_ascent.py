"""The full model climbs the loss of the images left out."""

from typing import TYPE_CHECKING

from diffusion_credit.models.options import Training

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

Options = Training
START = "full"
MINUTES = 10
MADE = "From the full model, the images outside each subset were unlearned by gradient ascent"


def fit(task: "Task") -> "Trained":
    """Climb the loss of the images left out; where there are none, the full model is left as it is."""
    from diffusion_credit.models.task import Trained

    return task.descend(task.removed, ascend=True) if len(task.removed) else Trained()
