"""The pruned model is trained on everyone's images."""

from typing import TYPE_CHECKING

from diffusion_credit.models.options import Training

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

Options = Training
START = "pruned"
MINUTES = 240


def fit(task: "Task") -> "Trained":
    """Descend the loss of the subset's images."""
    return task.descend(task.kept)
