"""The gradient family: TRAK, D-TRAK, influence functions and what is like them, from projected per-image gradients."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from diffusion_credit.base.options import BaselineSection
from diffusion_credit.baselines.gradient_arrays import GENERATED, PATH
from diffusion_credit.baselines.kernels import PLAIN, SCORES, Kernel, scores
from diffusion_credit.baselines.methods import Candidates


class Options(BaselineSection):
    """Scores from the gradients of the network's output for the contributor's images and for generated ones."""

    kind: Literal["gradients"]
    gradients: str = Field(description="Name of the gradients that are compared.")
    score: Literal[SCORES] = Field(  # type: ignore[valid-type]
        description="How gradients are compared. Scores are averaged over the models that the gradients are of."
    )
    damping: list[float] = Field(
        default=[0.01, 0.1, 1.0, 10.0, 100.0],
        min_length=1,
        description="Candidates for lambda, in units of the kernel's mean eigenvalue. `dot` and `cosine`"
        " do not use it.",
    )
    along: Literal["images", "path"] = Field(
        default="images",
        description="Where gradients of generated images are taken: at the images, or at the clean images"
        " predicted on the way to them (Journey-TRAK). The latter needs `path: true` in the"
        " gradients.",
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        if min(self.damping) <= 0:
            raise ValueError(f"damping: found {self.damping}, expected numbers above 0")
        return self

    def sources(self) -> dict[str, tuple[str, str]]:
        return {"gradients": ("gradients", self.gradients)}


def matrix(options: dict[str, Any], sources: dict[str, Any], sets: Sequence[str]) -> Candidates:
    """One matrix of scores for each lambda; a single one for scores without lambda."""
    along = {of: PATH if options["along"] == "path" and of == GENERATED else of for of in sets}  # others have no path
    models = list(sources["gradients"].values())
    kernels = [Kernel(model["data"]["features"], model["data"]["error"]) for model in models]
    for damping in [None] if options["score"] in PLAIN else options["damping"]:
        weighted, conditions = zip(*(kernel.weighted(options["score"], damping) for kernel in kernels), strict=True)
        parts = {
            of: _averaged(
                [scores(options["score"], model[at]["features"], w) for model, w in zip(models, weighted, strict=True)]
            )
            for of, at in along.items()
        }
        name = "" if damping is None else f"damping {damping:g}"
        about = {} if damping is None else {"damping": damping, "condition": max(conditions)}
        yield name, parts, about
        del weighted, parts  # as large as all gradients, and so is the next


def _averaged(parts: list[Iterator[np.ndarray]]) -> Iterator[np.ndarray]:
    """The mean over models of their matrices, part after part."""
    for part in zip(*parts, strict=True):
        yield np.mean(part, axis=0)
