"""The full model is pruned and fitted again, and then trained briefly on the subset (sparsified fine-tuning)."""

from typing import TYPE_CHECKING

from diffusion_credit.models.options import Training

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

Options = Training
START = "refit"
OF_MEMBERS = True


def fit(task: "Task") -> "Trained":
    """Descend the loss of the subset's images."""
    return task.train_on(task.kept)
