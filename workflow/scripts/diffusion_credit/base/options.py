"""The base of every section of the configuration, and of every registered module's `Options`."""

from collections.abc import Iterable, Iterator
from inspect import getdoc
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from diffusion_credit.base.scale import Transform


class Section(BaseModel):
    """Unknown keys, numbers as text, NaN and infinity are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    def needs_weights(self) -> list[str]:
        """Names of the entries of the study's `weights` that this section, without those in it, uses."""
        return []

    def needs_digests(self) -> dict[str, str]:
        """Name of weights -> ending of its one file that can hold code, so that `sha256` has to name it."""
        return {}


def sections(value: Any, path: str = "") -> Iterator[tuple[str, Section]]:
    """Every section in a value, with its key."""
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Section):
        yield path, value
        inner = ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, part in inner:
        yield from sections(part, f"{path}.{key}".removeprefix("."))


class SourceSection(Section):
    """The base of every data source's `Options`."""

    def captioned(self) -> bool:
        """Does each image come with a text?"""
        return False

    def contributors_now(self) -> list[str] | None:
        """Names of the contributors, where the raw files tell them before any image is read; else None."""
        return None


class NetworkSection(Section):
    """The base of every network's `Options`.

    prompted: is it trained for a text? described: the keys that describe the architecture, of which a model that was
    trained elsewhere has no need; the first is needed otherwise.
    """

    prompted: ClassVar[bool] = False
    described: ClassVar[tuple[str, ...]] = ()

    def check_given(self, given: bool) -> None:
        """Raises ValueError when the architecture is missing, or is said though a given model says it itself."""
        for key in self.described:
            value, field = getattr(self, key), type(self).model_fields[key]
            if given and value != field.default:
                raise ValueError(
                    f"model.{key}: found together with training.from, expected only one of them, because the given"
                    " model says it itself"
                )
            if not given and value is None and key == self.described[0]:
                raise ValueError(f"model.{key}: not found, expected a value (see config/README.md)")

    def check_pruning(self, ratio: float) -> None:
        """Raises ValueError when pruning this share would remove nothing, or everything."""


class FromScratchSection(NetworkSection):
    """The base of the Options of networks that are trained from scratch, in pixels or in an autoencoder's latents."""

    autoencoder: str | None = Field(
        default=None,
        description="Name of the weights of a frozen autoencoder (VQModel or AutoencoderKL). The network"
        " works in its latents. Without it the network works in pixels.",
    )
    latent_scale: float | None = Field(
        default=None,
        gt=0,
        description="Factor on the latents. Without it the scaling_factor of the autoencoder's own config is taken.",
    )

    def needs_weights(self) -> list[str]:
        return [self.autoencoder] if self.autoencoder else []


class ExtractorSection(Section):
    """The base of every extractor's `Options`: what it gives of each image.

    fitted: does it learn from the study's images?
    """

    fitted: ClassVar[bool] = False

    def arrays(self) -> list[str]:
        """Names of the arrays (images, numbers)."""
        return ["features"]

    def scores(self) -> list[str]:
        """Names of the arrays (images,), one number an image."""
        return []


class EstimatorSection(Section):
    """The base of every estimator's `Options`.

    predicts: does it also say what F of any subset is expected to be?
    """

    predicts: ClassVar[bool] = False

    game: str | None = Field(
        default=None,
        description="Name of the game that the estimator credits. Without it the estimator credits the study's design.",
    )

    def takes_design(self) -> bool:
        """Whether it takes the study's design beside its game, as the same game in a cheaper regime."""
        return False


class BaselineSection(Section):
    """The base of every baseline's `Options`: what it is made from.

    scores: what it scores for each generated image, training images (`pairs`) or contributors; or training `images` by
    themselves.
    """

    scores: ClassVar[Literal["pairs", "images", "contributors"]] = "pairs"

    def sources(self) -> dict[str, tuple[str, str]]:
        """Name -> (stage, whose): `images` or `features/<extractor>` of `data` or the `full` model's images, or

        (`gradients`, their name).
        """
        return {}

    def needs_game(self) -> str | None:
        """Name of the game whose models it compares with the full one."""
        return None


class PropertySection(Section):
    """The base of every property's `Options`: which way is up, and which array of its extractor it is made from.

    compares: is it a comparison with the key `reference`, the features of the data or of the full model's images?
    reads: what it is made from. `features` are those of the key `extractor`.
    """

    higher_is_better: ClassVar[bool] = True
    array: ClassVar[str] = "features"
    compares: ClassVar[bool] = False
    reads: ClassVar[Literal["features", "images"]] = "features"

    def explanation(self) -> str:
        """What the number is, in a sentence for the report: what its section says of itself."""
        return getdoc(type(self)) or ""

    transform: Transform = Field(
        default="none",
        description="Credit the property itself, or with `log` its logarithm, on which equal shares are equal factors."
        " Use `log` where the property differs much more between small subsets than between large ones, as FID does.",
    )
