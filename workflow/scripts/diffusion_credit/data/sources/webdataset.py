"""Images in tar files as WebDataset has them: the files of one name but for the ending, side by side, are a sample.

Source: https://github.com/webdataset/webdataset, whose way of grouping files is this one.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.names import printable
from diffusion_credit.data import image_files
from diffusion_credit.data.formats import is_image
from diffusion_credit.data.image_files import ImageOptions, Record, Records, files_of, read_records
from diffusion_credit.data.images import Images
from diffusion_credit.data.safe_archive import stream_members
from diffusion_credit.data.texts import caption_of, contributor_of, decoded, json_object

ENDINGS = (".tar", ".tar.gz", ".tgz")
NAME = re.compile(r"((?:.*/)?[^./]+)\.([^/]+)", re.DOTALL)  # of a file: the sample's key and the ending


class Options(ImageOptions):
    """Tar files in the layout of WebDataset."""

    source: Literal["webdataset"]
    path: str = Field(
        min_length=1,
        description="A `.tar`, `.tar.gz` or `.tgz`, or a folder of which all such files are read, relative to where"
        " the workflow is run.",
    )
    contributor: str = Field(
        min_length=1,
        description="What names a sample's contributor: a key of its `.json`, or with a dot an ending, such as `.cls`"
        " or `.artist.txt`, of a file that holds the name.",
    )
    caption: str | None = Field(
        default=None,
        min_length=1,
        description="What holds a sample's text, as in `contributor`. Without it images have no captions.",
    )

    def captioned(self) -> bool:
        return self.caption is not None


def _ending(key: str) -> str:
    """Of the file that holds what `contributor` or `caption` names."""
    return key[1:].lower() if key.startswith(".") else "json"


@dataclass
class _Sample:
    """Files of one name but for the ending. members: all endings. texts: contents of the endings that are read."""

    where: str
    members: dict[str, str] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)

    def image(self) -> str:
        """The name of the member that is the image. Raises UserError unless it is one."""
        images = [name for ending, name in self.members.items() if is_image(name)]
        if len(images) != 1:
            found = " and ".join(repr(name) for name in images) or "no image"
            raise UserError(f"{self.where}: found {found}, expected one image in each sample")
        return images[0]

    def cell(self, key: str) -> tuple[object, str]:
        """What `key` stands for, and what it is called. Raises UserError where the sample has no such file."""
        if (ending := _ending(key)) not in self.texts:
            raise UserError(f"{self.where}: found no file ending in .{ending}, expected one in each sample")
        text = decoded(self.texts[ending], f"{self.where}.{ending}")
        if key.startswith("."):
            return text.strip(), f".{ending}"
        found = json_object(text, f"{self.where}.json")
        if key not in found:
            keys = printable(", ".join(found))[:200]
            raise UserError(f"{self.where}.json: found no key {key!r} in {keys}, expected one")
        return found[key], f"the key {key}"


def _samples(path: Path, options: Options) -> Iterator[_Sample]:
    """The samples of a tar, in its order. Raises UserError where one is apart or has a file twice."""
    read = {_ending(key) for key in (options.contributor, options.caption) if key}
    sample, last, seen = None, None, set()
    for name, content in stream_members(path):
        if name.rsplit("/", 1)[-1].startswith("."):
            continue  # hidden
        if not (parts := NAME.fullmatch(name)):
            raise UserError(f"{path}: found {name!r} in it, expected names with an ending, such as 000.jpg")
        key, ending = parts[1], parts[2].lower()
        if key != last:
            if sample:
                yield sample
            if key in seen:
                raise UserError(f"{path}: found {name!r} apart from the rest of its sample, expected them side by side")
            seen.add(key)
            sample, last = _Sample(f"{path}#{key}"), key
        assert sample
        if ending in sample.members:
            raise UserError(f"{path}: found {name!r} twice, expected each ending once in a sample")
        sample.members[ending] = name
        if ending in read:
            sample.texts[ending] = content()
    if sample:
        yield sample


def read(options: Options) -> Images:
    """Read the samples' images: contributors sorted by name, the images of each in the order of tars and members.

    Raises UserError on a sample without an image, contributor or caption, and on a damaged tar.
    """
    tars = files_of(options, ENDINGS)
    records: Records = {}
    for tar, path in tars.items():
        for sample in _samples(path, options):
            image = sample.image()
            cell, key = sample.cell(options.contributor)
            contributor = contributor_of(cell, sample.where, key)
            caption = None
            if options.caption is not None:
                cell, key = sample.cell(options.caption)
                caption = caption_of(cell, sample.where, key)
            records.setdefault(contributor, []).append(Record(f"{tar}#{image}", caption))
    return read_records({name: records[name] for name in sorted(records)}, options, partial(_contents, tars))


def _contents(tars: dict[str, Path], wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    for tar, path in tars.items():
        for name, content in stream_members(path):
            if (source := f"{tar}#{name}") in wanted:
                yield source, content()


def fingerprint(options: Options) -> str:
    """Changes with the files."""
    return image_files.fingerprint(options.path, files_of(options, ENDINGS).values())
