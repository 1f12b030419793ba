"""From the full model, the images outside the subset are unlearned by gradient ascent."""

from typing import TYPE_CHECKING

from diffusion_credit.models.options import Training

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

Options = Training
START = "full"
OF_MEMBERS = False


def fit(task: "Task") -> "Trained":
    """Climb the loss of the images left out; where there are none, the full model is left as it is."""
    from diffusion_credit.models.task import Trained

    return task.train_on(task.removed, ascend=True) if len(task.removed) else Trained()
