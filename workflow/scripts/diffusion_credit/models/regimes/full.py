"""The model of everyone, trained from scratch on all images."""

from typing import TYPE_CHECKING

from diffusion_credit.models.options import Training

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

Options = Training
START = None
OF_MEMBERS = True


def fit(task: "Task") -> "Trained":
    """Descend the loss of everyone's images."""
    return task.train_on(task.kept)
