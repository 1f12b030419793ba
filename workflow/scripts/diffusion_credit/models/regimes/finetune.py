"""The full model is trained on for a short time on the subset."""

from typing import TYPE_CHECKING

from diffusion_credit.models.options import Training

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

Options = Training
START = "full"
OF_MEMBERS = True


def fit(task: "Task") -> "Trained":
    """Descend the loss of the subset's images."""
    return task.train_on(task.kept)
