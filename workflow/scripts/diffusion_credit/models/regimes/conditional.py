"""One model of everyone is told each image's contributor. A subset's images are those that it draws for the subset's
contributors (SurrogateSHAP). Only a game can have this regime."""

from typing import TYPE_CHECKING

from diffusion_credit.models.options import Training

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

Options = Training
START = None


def fit(task: "Task") -> "Trained":
    """Descend the loss of everyone's images, each told its contributor."""
    return task.train_on(task.kept, labels=task.job.owner)
