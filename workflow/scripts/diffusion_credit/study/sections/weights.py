"""Where pretrained weights come from."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from diffusion_credit.base.options import Section
from diffusion_credit.study.sections.names import like

WEIGHTS_SUFFIXES = (".safetensors", ".json", ".txt", ".model")  # formats that hold no code


class Weights(Section):
    """Pretrained weights, in a local folder or a repository of the Hugging Face hub."""

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
        if (self.folder is None) == (self.hub is None):
            raise ValueError(
                f"folder: found {self.folder!r} together with hub {self.hub!r}, expected exactly one of them"
            )
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
