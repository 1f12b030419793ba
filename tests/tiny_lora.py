"""A study of adapters that were trained elsewhere, tiny: a base of random weights, a LoRA, five folders with captions.

python tests/tiny_lora.py sdxl            # or stable_diffusion, sd3, flux; writes the folder tiny_lora/
"""

import sys
from pathlib import Path

import numpy as np
import yaml
from PIL import Image
from pipelines import BASES, PROCESSES, train_by_plain_peft

SIZE, ARTISTS, EACH = 16, ("ana", "ben", "cem", "dia", "eva"), 6
TRAINING = {"steps": 20, "batch_size": 8, "learning_rate": 0.001, "caption_dropout": 0.1}


def write_tiny_lora(family: str, folder: Path) -> None:
    """Write everything that the study needs, and the study."""
    folder.mkdir(parents=True)
    base, rng, images = BASES[family](folder / "base"), np.random.default_rng(0), []
    for artist in ARTISTS:
        (folder / "artists" / artist).mkdir(parents=True)
        colour = rng.integers(0, 256, 3)
        for number in range(EACH):
            images.append(np.clip(colour + rng.normal(0, 20, (SIZE, SIZE, 3)), 0, 255).astype(np.uint8))
            file = folder / "artists" / artist / f"{number}.png"
            Image.fromarray(images[-1]).save(file)
            file.with_suffix(".txt").write_text(f"a painting by {artist}\n")
    train_by_plain_peft(family, base, np.array(images), folder / "my_lora")
    (folder / "prompts.txt").write_text("a painting by ana\na painting by eva\n")
    flow = PROCESSES[family]["schedule"] == "flow"
    study = {
        "study": "tiny_lora",
        "seed": 0,
        "weights": {"base": {"folder": f"{folder}/base"}, "mine": {"folder": f"{folder}/my_lora"}},
        "data": {"source": "image_folder", "path": f"{folder}/artists", "size": SIZE, "captions": True},
        "model": {"kind": "lora", "family": family, "base": "base"},
        "training": {"from": "mine"},
        "diffusion": PROCESSES[family],
        "pruning": {"ratio": 0.5, "refit": TRAINING},
        "regimes": {"sparse": TRAINING, "retrain": TRAINING},
        "design": {"subsets": 16, "batch_size": 8, "anchors": 2, "empty": "base"},
        "generation": {
            "images": 16, "solver": "flow_euler" if flow else "ddim", "steps": 4, "guidance": 2.0,
            "prompts": f"{folder}/prompts.txt",
        },
        "extractors": {"classifier": {"kind": "classifier", "steps": 50}},
        "properties": {"fid": {"kind": "fid", "extractor": "classifier", "transform": "log"}},
        "estimators": {"process": {"kind": "gaussian-process"}},
        "evaluation": {
            "lds": {"alphas": [0.5], "subsets": 4, "replicates": 2, "regimes": ["sparse"]},
            "counterfactual": {"share": 0.4, "replicates": 2, "estimator": "process"},
        },
    }  # fmt: skip
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in BASES:
        sys.exit(f"usage: python tests/tiny_lora.py {'|'.join(BASES)}")
    if Path("tiny_lora").exists():
        sys.exit("tiny_lora: is there already; remove it to write it anew")
    write_tiny_lora(sys.argv[1], Path("tiny_lora"))
