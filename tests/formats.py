"""Tiny files in the formats of the public data sets, the same bytes each time: the real names, few made-up images."""

import gzip
import io
import pickle
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from diffusion_credit.base.files import digest_of_file

CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
# As in the archive's meta, and in https://www.cs.toronto.edu/~kriz/cifar.html.
CIFAR100 = {
    "aquatic_mammals": "beaver dolphin otter seal whale",
    "fish": "aquarium_fish flatfish ray shark trout",
    "flowers": "orchid poppy rose sunflower tulip",
    "food_containers": "bottle bowl can cup plate",
    "fruit_and_vegetables": "apple mushroom orange pear sweet_pepper",
    "household_electrical_devices": "clock keyboard lamp telephone television",
    "household_furniture": "bed chair couch table wardrobe",
    "insects": "bee beetle butterfly caterpillar cockroach",
    "large_carnivores": "bear leopard lion tiger wolf",
    "large_man-made_outdoor_things": "bridge castle house road skyscraper",
    "large_natural_outdoor_scenes": "cloud forest mountain plain sea",
    "large_omnivores_and_herbivores": "camel cattle chimpanzee elephant kangaroo",
    "medium_mammals": "fox porcupine possum raccoon skunk",
    "non-insect_invertebrates": "crab lobster snail spider worm",
    "people": "baby boy girl man woman",
    "reptiles": "crocodile dinosaur lizard snake turtle",
    "small_mammals": "hamster mouse rabbit shrew squirrel",
    "trees": "maple_tree oak_tree palm_tree pine_tree willow_tree",
    "vehicles_1": "bicycle bus motorcycle pickup_truck train",
    "vehicles_2": "lawn_mower rocket streetcar tank tractor",
}
FINE = sorted(name for names in CIFAR100.values() for name in names.split())
COARSE = [next(i for i, names in enumerate(CIFAR100.values()) if name in names.split()) for name in FINE]
ARTISTS = ["vincent-van-gogh", "paul-cezanne", "paul-gauguin", "pierre-bonnard", "odilon-redon", "georges-seurat"]


class _Python2Pickler(pickle._Pickler):  # type: ignore[name-defined]
    """Writes bytes and text as Python 2 wrote its str."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_str(self, value: str | bytes) -> None:
        data = value.encode() if isinstance(value, str) else value
        self.write(pickle.BINSTRING + len(data).to_bytes(4, "little") + data)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_str


def python2_pickle(value: Any) -> bytes:
    """A value as Python 2 with numpy 1 pickled it by protocol 2."""
    stream = io.BytesIO()
    _Python2Pickler(stream, protocol=2).dump(value)
    return stream.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def write_tar(path: Path, members: dict[str, bytes] | Sequence[tuple[tarfile.TarInfo, bytes]]) -> str:
    """Write a tar.gz with fixed times, of plain files or of any members; return its sha256."""
    if isinstance(members, dict):
        members = [(tarfile.TarInfo(name), data) for name, data in members.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return digest_of_file(path)


def pictures(owner: Sequence[int] | np.ndarray, size: int, seed: int, part: int = 0) -> np.ndarray:
    """An image for each owner, (images, size, size, 3) uint8: 4 x 4 squares around a colour of the owner's own,
    which is the same in all parts of a seed."""
    colours = np.random.default_rng(seed).integers(32, 224, (int(np.max(owner)) + 1, 1, 1, 3))
    noise = np.random.default_rng([seed, part]).integers(-32, 32, (len(owner), 4, 4, 3))
    squares = (colours[np.asarray(owner)] + noise).astype(np.uint8)
    return squares.repeat(size // 4, axis=1).repeat(size // 4, axis=2)


def cifar_members(
    dataset: str, per_class: int = 4, seed: int = 0, classes: Sequence[str] | None = None
) -> dict[str, Any]:
    """The files of an archive with some images of the named classes, or of all; the meta lists all in any case."""
    names = CIFAR10 if dataset == "cifar10" else FINE
    chosen = [names.index(name) for name in classes or names]
    rng = np.random.default_rng(seed)

    def part(label: str, fine: np.ndarray, number: int) -> dict[bytes, Any]:
        data = pictures(fine, 32, seed, number).transpose(0, 3, 1, 2).reshape(-1, 3072)
        content = {
            b"filenames": [f"{names[i]}_s_{row:06d}.png".encode() for row, i in enumerate(fine)],
            b"batch_label": label.encode(),
            b"data": np.ascontiguousarray(data),
        }
        if dataset == "cifar10":
            return {**content, b"labels": fine.tolist()}
        return {**content, b"fine_labels": fine.tolist(), b"coarse_labels": [COARSE[i] for i in fine]}

    train = rng.permutation(np.repeat(chosen, per_class))
    if dataset == "cifar100":
        meta = {b"fine_label_names": FINE, b"coarse_label_names": list(CIFAR100)}
        return {
            "meta": meta,
            "test": part("testing batch 1 of 1", np.array(chosen), 9),
            "train": part("training batch 1 of 1", train, 1),
        }
    batches = enumerate(np.array_split(train, 5), start=1)
    return {
        "batches.meta": {b"num_cases_per_batch": 10000, b"label_names": CIFAR10, b"num_vis": 3072},
        **{f"data_batch_{i}": part(f"training batch {i} of 5", fine, i) for i, fine in batches},
        "test_batch": part("testing batch 1 of 1", np.array(chosen), 9),
    }


def write_cifar(path: Path, dataset: str, **options: Any) -> str:
    """Write an archive of cifar10 or cifar100, see `cifar_members`; return its sha256."""
    folder = "cifar-10-batches-py" if dataset == "cifar10" else "cifar-100-python"
    content = cifar_members(dataset, **options)
    return write_tar(path, {f"{folder}/{name}": python2_pickle(value) for name, value in content.items()})


def write_artbench(folder: Path, artists: int = 6, per_artist: int = 4, size: int = 64, seed: int = 0) -> None:
    """Write ArtBench-10.csv and artbench-10-imagefolder-split/: post-impressionist training images of artists with
    per_artist images each, and a test image and a training image of another style by each, which do not count."""
    names = [ARTISTS[i] if i < len(ARTISTS) else f"artist-{i:03d}" for i in range(artists)]
    images = [("train", "post_impressionism", artist, n) for artist in range(artists) for n in range(per_artist)]
    images += [("test", "post_impressionism", artist, 0) for artist in range(artists)]
    images += [("train", "impressionism", artist, 0) for artist in range(artists)]
    lines = ["name,artist,url,is_public_domain,length,width,label,split,cifar_index"]
    for number, (image, pixels) in enumerate(zip(images, pictures([i[2] for i in images], size, seed), strict=True)):
        split, style, artist, n = image
        name = f"{names[artist]}_{split}-{style.replace('_', '-')}-{n}-18{80 + n % 20}.jpg"
        lines.append(f"{name},{names[artist]},https://example.org/{name},True,{size},{size},{style},{split},{number}")
        path = folder / "artbench-10-imagefolder-split" / split / style / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, quality=95)
    (folder / "ArtBench-10.csv").write_text("\n".join(lines) + "\n")


def write_celeba_hq(folder: Path, identities: int = 6, per_identity: int = 4, size: int = 64, seed: int = 0) -> None:
    """Write CelebA-HQ-img/, CelebA-HQ-to-CelebA-mapping.txt and identity_CelebA.txt: identities with per_identity
    images each, two more with one image each, and lines for files of CelebA that are not in CelebA-HQ."""
    rng = np.random.default_rng(seed)
    owner = rng.permutation([*np.repeat(np.arange(identities), per_identity), identities, identities + 1])
    original = rng.permutation(np.arange(1, 2 * len(owner) + 1))
    images = folder / "CelebA-HQ-img"
    images.mkdir(parents=True, exist_ok=True)
    mapping = ["idx        orig_idx   orig_file"]
    for number, pixels in enumerate(pictures(owner, size, seed)):
        Image.fromarray(pixels).save(images / f"{number}.jpg", quality=95)
        mapping.append(f"{number:<10d} {original[number] - 1:<10d} {original[number]:06d}.jpg")
    (folder / "CelebA-HQ-to-CelebA-mapping.txt").write_text("\n".join(mapping) + "\n")
    persons = dict(zip(original.tolist(), [*(1000 + 7 * owner), *([99] * len(owner))], strict=True))
    lines = [f"{image:06d}.jpg {persons[image]}" for image in sorted(persons)]
    (folder / "identity_CelebA.txt").write_text("\n".join(lines) + "\n")
