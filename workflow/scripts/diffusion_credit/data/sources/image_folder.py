"""A folder of folders, `<contributor>/<image files>`: the contributor's name is the folder's, taken as it is."""

from pathlib import Path
from typing import Literal

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
        left_out = LeftOut(Path(self.path))
        images = {folder.name: sorted_out(files, left_out).images for folder, files in folders(self, left_out)[0]}
        return list(take_part(images, self)[0])


def folders(options: Options, left_out: LeftOut) -> tuple[list[tuple[Path, list[Path]]], list[Path]]:
    """Every contributor's folder with all files in it, sorted by name, and the files beside these folders.

    Raises UserError when data.path is not a folder, on a folder that may not be read, and on a name that is not UTF-8.
    """
    root = folder_of(options)
    found, beside = [], []
    for entry in entries(root, left_out):
        if entry.is_dir():
            found.append((Path(entry.path), files_below(Path(entry.path), left_out)))
        else:
            beside.append(Path(entry.path))
    for folder, files in found:
        for path in (folder, *files):
            refuse_odd_name(path)
    return found, beside


def read(options: Options) -> Images:
    """Read every contributor's images, in the order of names.

    Raises UserError on a missing folder, on fewer than two folders, a contributor's empty folder, an unreadable image,
    and as `captions_of` does.
    """
    root = Path(options.path)
    left_out = LeftOut(root)
    contributors: Files = {}
    others: list[Path] = []
    found, beside = folders(options, left_out)
    _require_two(root, found, beside)
    for folder, files in found:
        images, rest = sorted_out(files, left_out)
        if not images:
            among = f" among {len(files)} file(s), such as {examples(files, folder)}" if files else ""
            raise UserError(f"{folder}: found no image{among}; expected files ending in {endings()}")
        contributors[folder.name] = images
        others += rest
    captions, used = None, set[Path]()
    if options.captions:
        captions, used = captions_of(root, [image for images in contributors.values() for image in images], others)
    for file in others:
        if file not in used:
            left_out.add(NO_IMAGE, file)
    for file in beside:
        if file not in used:
            left_out.add(BESIDE, file)
    return read_files(contributors, options, captions, [*left_out.notes(), *_notes(root, contributors)])


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
    found, beside = folders(options, LeftOut(Path(options.path)))
    metadata = metadata_of(Path(options.path), ()) if options.captions else []
    paths = [path for folder, files in found for path in (folder, *files)]
    images = [path.name for path in paths if is_image(path)]
    return digest_of([image_files.fingerprint(options.path, [*metadata, *beside, *paths]), images])
