"""The files of the papers' studies at `scale=tiny`: real formats, made-up images, randomly initialised models.

python tests/tiny.py            # writes the folder tiny/
"""

import sys
from pathlib import Path

from formats import write_artbench, write_celeba_hq, write_cifar
from pipelines import write_stable_diffusion, write_vqvae
from pretrained import write_aesthetic_head, write_blip, write_clip, write_inception

WIDTH = 12  # of CLIP's embeddings


def write_tiny(folder: Path) -> None:
    """Write everything that any of the studies needs."""
    if folder.exists():
        sys.exit(f"{folder}: is there already; remove it to write it anew")
    folder.mkdir(parents=True)
    write_cifar(folder / "cifar-100-python.tar.gz", "cifar100")
    write_cifar(folder / "cifar-10-python.tar.gz", "cifar10", per_class=3)
    write_celeba_hq(folder / "celebahq", identities=8, per_identity=4, size=32)
    write_artbench(folder / "artbench", artists=8, per_artist=4, size=16)
    write_vqvae(folder / "ldm-celebahq-256" / "vqvae")
    write_stable_diffusion(folder / "stable-diffusion")
    write_inception(folder / "inception")
    write_blip(folder / "blip-vqa-base")
    write_clip(folder / "clip-vit-large-patch14", WIDTH)
    write_aesthetic_head(folder / "aesthetic", WIDTH)


def write_raw(folder: Path) -> None:
    """Write raw files with as many contributors as the published ones, at the places that the studies name.

    Their images are tiny or empty: a plan looks at no more than their names.
    """
    write_cifar(folder / "cifar-100-python.tar.gz", "cifar100")
    write_cifar(folder / "cifar-10-python.tar.gz", "cifar10", per_class=3)
    write_celeba_hq(folder / "CelebAMask-HQ", identities=50, per_identity=15, size=8)
    identities = (folder / "CelebAMask-HQ/identity_CelebA.txt").rename(folder / "identity_CelebA.txt")
    (folder / "img_align_celeba").mkdir()
    for line in identities.read_text().splitlines():
        (folder / "img_align_celeba" / line.split()[0]).touch()
    write_artbench(folder, artists=258, per_artist=1, size=8)


if __name__ == "__main__":
    write_tiny(Path(sys.argv[1] if len(sys.argv) > 1 else "tiny"))
