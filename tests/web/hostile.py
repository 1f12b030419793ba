"""Contributors with hostile names, and a study of theirs."""

import csv
import unicodedata
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits
from studies import Workspace, tiny_config

NAMES = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "../../etc",
    "{{ 7 * 7 }} {% raw %}",
    "مرحبا \u202etxt.exe",
    "🎨👩‍🎨 李娜",
    "name " * 60,
    "Ana",
    "ana",
    unicodedata.normalize("NFC", "José"),
    unicodedata.normalize("NFD", "José"),
    '=1+1,"a";b | *c*\nvalue',
]


def study(folder: Path) -> Workspace:
    """Four digits each, with a payout; not run yet."""
    workspace = Workspace(folder)
    images = folder / "images"
    images.mkdir()
    digits = load_digits()
    with (folder / "names.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["file", "artist"])
        for player, name in enumerate(NAMES):
            for i, pixels in enumerate(digits.images[digits.target == player % 10][:4]):
                Image.fromarray((pixels * 15).astype("uint8")).save(images / f"{player}_{i}.png")
                table.writerow([f"{player}_{i}.png", name])
    config = tiny_config()
    config["data"] = {
        "source": "image_table",
        "path": "images",
        "table": "names.csv",
        "image": "{file}",
        "contributor": "artist",
        "size": 8,
        "mode": "L",
    }
    brief = {"steps": 2, "batch_size": 8, "learning_rate": 0.002}
    config["regimes"] = {"sparse": brief, "retrain": brief}
    config["design"] |= {"subsets": 60, "batch_size": 60}
    config["properties"] = {name: config["properties"][name] for name in ("inception_score", "fid")}
    config["estimators"] = {"ridge": {"kind": "ridge"}, "process": {"kind": "gaussian-process"}}
    config["evaluation"]["lds"] |= {"regimes": []}
    config["payout"] = {
        "amount": 1000.01,
        "currency": "EUR",
        "property": "fid",
        "estimator": "ridge",
        "negative": "clip",
    }
    workspace.config = config
    return workspace
