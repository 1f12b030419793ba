"""Where pretrained weights come from."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from diffusion_credit.base.options import Section
from diffusion_credit.models.options import Autoencoder
from diffusion_credit.study.sections.names import like

WEIGHTS_SUFFIXES = (".safetensors", ".json", ".txt", ".model")  # formats that hold no code


class Weights(Section):
    """Pretrained weights in a local folder or a repository of the Hugging Face hub; or an autoencoder to train."""

    folder: str | None = Field(
        default=None,
        min_length=1,
        description="The local folder that holds the files, relative to where the workflow is run.",
    )
    hub: Annotated[str, like(r"[\w.-]+/[\w.-]+", "owner/name")] | None = Field(
        default=None, description="The repository on the hub, as owner/name. Give either this or `folder`."
    )
    revision: Annotated[str, like(r"[0-9a-f]{40}", "the hash of a commit, 40 digits")] | None = Field(
        default=None, description="The commit of the repository, as a hash of 40 digits. `hub` needs it."
    )
    autoencoder: Autoencoder | None = Field(
        default=None, description="An autoencoder to train on the study's images, in place of `folder` and `hub`."
    )
    files: list[str] = Field(
        default=[f"*{suffix}" for suffix in WEIGHTS_SUFFIXES],
        description="Patterns for the names of the files to take. `*` stands for anything, / included. No"
        " pattern may match files that can hold code.",
    )
    sha256: dict[str, Annotated[str, like(r"[0-9a-f]{64}", "64 digits from 0 to f")] | None] = Field(
        default={},
        description="Digests by file name below the folder. A file must have its digest; null trusts the"
        " file unchecked. A file that can hold code has to be named here.",
    )

    @model_validator(mode="after")
    def check(self) -> Self:
        given = [key for key in ("folder", "hub", "autoencoder") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(
                f"folder: found {' and '.join(given) or 'nothing'}, expected exactly one of folder, hub and autoencoder"
            )
        if self.autoencoder and self.sha256:
            raise ValueError("sha256: found together with autoencoder, expected none, as no file is there before")
        if (self.hub is None) != (self.revision is None):
            raise ValueError(
                f"revision: found {self.revision}, expected the hash of a commit with a hub, and none with a folder"
            )
        for pattern in self.files:
            if not pattern.endswith(WEIGHTS_SUFFIXES):
                raise ValueError(
                    f"files: found {pattern!r}, expected a pattern that ends in one of {' '.join(WEIGHTS_SUFFIXES)};"
                    " name any other file in sha256"
                )
        return self
