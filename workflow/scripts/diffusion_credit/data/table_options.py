"""The options of sources whose images are listed in a table: which columns are read, and which rows."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.names import printable
from diffusion_credit.data.image_files import ImageOptions


class TableOptions(ImageOptions):
    """The options of every source that reads whose an image is from a table."""

    contributor: str = Field(description="The column that names the contributor.")
    caption: str | None = Field(
        default=None,
        min_length=1,
        description="The column that holds each image's text. Without it images have no captions.",
    )
    where: dict[str, str | list[str]] = Field(
        default={},
        description="Take only rows whose column has this text, or one of these texts, as in `{split:"
        " train, label: [baroque, realism]}`.",
    )

    def captioned(self) -> bool:
        return self.caption is not None

    def columns(self) -> dict[str, str]:
        """Key of the configuration -> the column that it names."""
        caption = {} if self.caption is None else {"data.caption": self.caption}
        return {"data.contributor": self.contributor, **caption, **{f"data.where.{name}": name for name in self.where}}

    def takes(self, cells: Mapping[str, str]) -> bool:
        """Whether a row with these cells takes part."""
        wanted = self.where.items()
        return all(cells[name] in ([texts] if isinstance(texts, str) else texts) for name, texts in wanted)


def check_columns(file: str | Path, header: Sequence[str], columns: Iterable[tuple[str, str]]) -> None:
    """Raises UserError where a column, given with the key that names it, is not in the header exactly once."""
    for key, column in columns:
        if header.count(column) != 1:
            times = "twice" if column in header else "nowhere"
            found = printable(",".join(header))[:200]
            raise UserError(f"{file}: found the column {column!r} {times} in {found}, expected it once ({key})")
