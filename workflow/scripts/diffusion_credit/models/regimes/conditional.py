"""One model of everyone is told each image's contributor. A subset's images are those that it draws for the subset's
contributors (SurrogateSHAP). Only a game can have this regime."""

from typing import TYPE_CHECKING

from pydantic import Field

from diffusion_credit.models.options import Training

if TYPE_CHECKING:
    from diffusion_credit.models.task import Task, Trained

START = None
OF_MEMBERS = False


class Options(Training):
    """How the one model is trained that is told contributors, and how it draws their images.

    Of the share `caption_dropout` of the images it is not told whose they are, which guidance needs.
    """

    guidance: float | None = Field(
        default=None,
        ge=1,
        description="How far a contributor's images lean away from those of nobody (classifier-free guidance); 1 is not"
        " at all. Without it as `generation.guidance` says.",
    )


def fit(task: "Task") -> "Trained":
    """Descend the loss of everyone's images, each told its contributor: in its text, or by number from 1."""
    numbers = task.job.owner + 1 if task.job.inputs.labels is None else None
    return task.train_on(task.kept, labels=numbers)
