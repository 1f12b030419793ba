"""The re-fitted pruned model is fine-tuned on the subset (sparsified fine-tuning)."""

from typing import TYPE_CHECKING

from diffusion_credit.models.options import Training

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

Options = Training
START = "refit"
MINUTES = 10
MADE = "The full model was pruned and fitted again, and then trained briefly on each subset"


def fit(task: "Task") -> "Trained":
    """Descend the loss of the subset's images."""
    return task.descend(task.kept)
