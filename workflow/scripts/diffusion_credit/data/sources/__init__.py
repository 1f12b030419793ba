"""Data sources. To add one: a module here that is a `Source`, and its name in both lists below."""

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from diffusion_credit.base.options import SourceSection
    from diffusion_credit.data.images import Images

SOURCES = ("digits", "image_folder", "image_table", "parquet", "dataset", "webdataset", "cifar", "celeba_hq", "idx")


class Source(Protocol):
    """What a module of this package holds. options: an instance of its own `Options`."""

    @property
    def Options(self) -> "type[SourceSection]":
        """The section `data` of the configuration, with the key `source`."""

    def read(self, options: Any) -> "Images":
        """All images, whose they are, and a text of each where the options are `captioned`.

        Raises UserError on raw data that cannot be read.
        """

    def fingerprint(self, options: Any) -> str:
        """A text that changes when the raw files do."""


if TYPE_CHECKING:  # mypy compares each with the protocol
    from diffusion_credit.data.sources import (
        celeba_hq,
        cifar,
        dataset,
        digits,
        idx,
        image_folder,
        image_table,
        parquet,
        webdataset,
    )

    _: list[Source] = [digits, image_folder, image_table, parquet, dataset, webdataset, cifar, celeba_hq, idx]
