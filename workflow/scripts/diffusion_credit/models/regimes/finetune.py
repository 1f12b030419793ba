"""The full model is fine-tuned on the subset."""

from typing import TYPE_CHECKING

from diffusion_credit.models.options import Training

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

Options = Training
START = "full"
MINUTES = 10
MADE = "The full model was trained on for a short time on each subset"


def fit(task: "Task") -> "Trained":
    """Descend the loss of the subset's images."""
    return task.descend(task.kept)
