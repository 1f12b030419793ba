"""A model is trained from scratch on the subset. It is the truth that other regimes are judged by."""

from typing import TYPE_CHECKING

from diffusion_credit.models.options import Training

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

Options = Training
START = None
OF_MEMBERS = True


def fit(task: "Task") -> "Trained":
    """Descend the loss of the subset's images."""
    return task.train_on(task.kept)
