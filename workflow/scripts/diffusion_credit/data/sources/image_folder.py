"""A folder of folders, `<contributor>/<image files>`: the contributor's name is the folder's, taken as it is."""

from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import digest_of
from diffusion_credit.data import image_files
from diffusion_credit.data.captions import captions_of, metadata_of
from diffusion_credit.data.formats import endings, is_image
from diffusion_credit.data.image_files import Files, ImageOptions, folder_of, read_files, refuse_odd_name, take_part
from diffusion_credit.data.images import Images
from diffusion_credit.data.listing import BESIDE, NO_IMAGE, LeftOut, entries, examples, files_below, sorted_out


class Options(ImageOptions):
    """A folder with one folder for each contributor: `<contributor>/<image files>`."""

    source: Literal["image_folder"]
    path: str = Field(
        min_length=1,
        description="The folder that holds one folder for each contributor, relative to where the workflow is run.",
    )
    captions: bool = Field(
        default=False,
        description="Give each image a text: of a `.txt` beside it with its name, or of `metadata.jsonl` or"
        " `metadata.csv` with `file_name` and `text`, in `path` or in a contributor's folder.",
    )

    def captioned(self) -> bool:
        return self.captions

    def contributors_now(self) -> list[str]:
        return list(take_part(listed(self).images, self)[0])


class Listed(NamedTuple):
    """images: those of each contributor. others: further files in their folders. beside: files beside these."""

    images: Files
    others: list[Path]
    beside: list[Path]
    left_out: LeftOut


def listed(options: Options) -> Listed:
    """What lies in the folders, sorted by name.

    Raises UserError when data.path is not a folder or holds fewer than two, on a contributor without an image, on a
    folder that may not be read, and on a name that is not UTF-8.
    """
    root = folder_of(options)
    found = Listed({}, [], [], LeftOut(root))
    folders = []
    for entry in entries(root, found.left_out):
        path = Path(entry.path)
        refuse_odd_name(path)
        if entry.is_dir():
            folders.append((path, files_below(path, found.left_out)))
        else:
            found.beside.append(path)
    _require_two(root, folders, found.beside)
    for folder, files in folders:
        for file in files:
            refuse_odd_name(file)
        images, others = sorted_out(files, found.left_out)
        if not images:
            among = f" among {len(files)} file(s), such as {examples(files, folder)}" if files else ""
            raise UserError(f"{folder}: found no image{among}; expected files ending in {endings()}")
        found.images[folder.name] = images
        found.others.extend(others)
    return found


def read(options: Options) -> Images:
    """Read every contributor's images, in the order of names.

    Raises UserError as `listed` and `captions_of` do, and on images that cannot be read.
    """
    root, found = Path(options.path), listed(options)
    captions, used = None, set[Path]()
    if options.captions:
        every = [image for images in found.images.values() for image in images]
        captions, used = captions_of(root, every, found.others)
    for kind, files in ((NO_IMAGE, found.others), (BESIDE, found.beside)):
        for file in files:
            if file not in used:
                found.left_out.add(kind, file)
    return read_files(found.images, options, captions, [*found.left_out.notes(), *_notes(root, found.images)])


def _require_two(root: Path, found: list[tuple[Path, list[Path]]], beside: list[Path]) -> None:
    """Raises UserError where there are not two folders, with what there is instead."""
    if len(found) > 1:
        return
    here, hint = "no folder", ""
    for folder, files in found:
        here = f"one folder, {folder.name},"
        if below := sorted({file.relative_to(folder).parts[0] for file in files if file.parent != folder}):
            hint = f"; if the folders in it, such as {below[0]}, are the contributors, write data.path: {folder}"
    if images := [file for file in beside if is_image(file)]:
        here += f" and {len(images)} image(s), such as {examples(images, root)},"
    raise UserError(f"data.path: found {here} in {root}, expected a folder for each of two contributors or more{hint}")


def _notes(root: Path, contributors: Files) -> list[str]:
    """What may be meant otherwise than it was read."""
    through = [image for images in contributors.values() for image in images if _through_link(root, image)]
    notes = [f"read {len(through)} image(s) through links (such as {examples(through, root)})"] if through else []
    deep = [images[0] for name, images in contributors.items() if all(image.parent != root / name for image in images)]
    if len(deep) == len(contributors):
        notes.append(
            f"no image lies directly in a contributor's folder, as {examples(deep[:1], root)} does not; if folders in"
            " these are the contributors, data.path should lead there"
        )
    return notes


def _through_link(root: Path, image: Path) -> bool:
    parts = image.relative_to(root).parts
    return any((root / Path(*parts[:count])).is_symlink() for count in range(1, len(parts) + 1))


def fingerprint(options: Options) -> str:
    """A digest that changes with the folder's files, and with which of them can be read."""
    found, root = listed(options), Path(options.path)
    images = [image for images in found.images.values() for image in images]
    metadata = metadata_of(root, ()) if options.captions else []
    files = image_files.fingerprint(root, [*metadata, *found.beside, *images, *found.others])
    return digest_of([files, len(images)])
