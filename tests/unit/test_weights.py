"""Pretrained weights: what is taken, what is refused, and what a result that uses them records."""

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from studies import tiny_config

from diffusion_credit.config import Weights, plain, read_study
from diffusion_credit.errors import UserError
from diffusion_credit.files import digest_of_file, files_fingerprint
from diffusion_credit.weights import fetch, files_of, open_weights


class Bomb:
    def __reduce__(self) -> Any:
        return (open, ("/tmp/never", "w"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "there"
    (folder / "unet").mkdir(parents=True)
    (folder / "unet/model.safetensors").write_bytes(b"weights" * 100)
    (folder / "config.json").write_text("{}")
    (folder / "unet/model.bin").write_bytes(pickle.dumps(Bomb()))
    (folder / "modeling.py").write_text("raise SystemExit")
    return folder


def options(folder: Path, **given: Any) -> dict[str, Any]:
    return plain(Weights(folder=str(folder), **given))


def test_the_manifest_names_safe_files_with_their_digests(folder: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "out/manifest.json"
    fetch("sd", options(folder), manifest)
    files = json.loads(manifest.read_text())["files"]
    assert files == {
        "config.json": {"size": 2, "sha256": hashlib.sha256(b"{}").hexdigest()},
        "unet/model.safetensors": {"size": 700, "sha256": hashlib.sha256(b"weights" * 100).hexdigest()},
    }
    assert open_weights(manifest) == folder


def test_a_pickle_is_taken_only_with_its_digest(folder: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256((folder / "unet/model.bin").read_bytes()).hexdigest()
    fetch("sd", options(folder, files=[], sha256={"unet/model.bin": digest}), tmp_path / "manifest.json")
    assert list(json.loads((tmp_path / "manifest.json").read_text())["files"]) == ["unet/model.bin"]
    for pattern in ("*", "*.bin", "unet/*", "*.py"):
        with pytest.raises(ValueError, match=r"files: found .*, expected an end like \.safetensors"):
            options(folder, files=[pattern])


def test_moving_the_folder_changes_no_digest_and_no_fingerprint(folder: Path, tmp_path: Path) -> None:
    def state(folder: Path) -> tuple[str, str]:
        fetch("sd", options(folder), tmp_path / "manifest.json")
        return digest_of_file(tmp_path / "manifest.json"), files_fingerprint(files_of("sd", folder, options(folder)))

    before = state(folder)
    folder.rename(tmp_path / "elsewhere")
    assert state(tmp_path / "elsewhere") == before
    (tmp_path / "elsewhere/config.json").write_text("[]")
    assert not set(state(tmp_path / "elsewhere")) & set(before)


REFUSED: dict[str, tuple[Callable[[Path], dict[str, Any]], str]] = {
    "no folder": (lambda folder: options(folder / "x"), r"weights.sd.folder: .*/x is not a folder"),
    "no file": (lambda folder: options(folder, files=["vae/*.json"]), r"there: found no file like vae/\*.json"),
    "other digest": (
        lambda folder: options(folder, sha256={"config.json": "0" * 64}),
        "there/config.json: found the sha256 44136fa3.*, expected 0000",
    ),
    "named, not there": (
        lambda folder: options(folder, sha256={"../x": "0" * 64}),
        "not found, although weights.sd.sha256 names it",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_folders_are_one_sentence(folder: Path, tmp_path: Path, name: str) -> None:
    given, complaint = REFUSED[name]
    with pytest.raises(UserError, match=complaint):
        fetch("sd", given(folder), tmp_path / "manifest.json")
    assert not (tmp_path / "manifest.json").exists()


def test_a_truncated_or_missing_file_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    fetch("sd", options(folder), tmp_path / "manifest.json")
    (folder / "unet/model.safetensors").write_bytes(b"weights" * 99)
    with pytest.raises(UserError, match=r"unet/model.safetensors: found 693 bytes, expected 700"):
        open_weights(tmp_path / "manifest.json")
    (folder / "unet/model.safetensors").unlink()
    with pytest.raises(UserError, match=r"unet/model.safetensors: not found"):
        open_weights(tmp_path / "manifest.json")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "config: weights.sd.folder: found None beside hub None"),
        ({"folder": "x", "hub": "a/b", "revision": "0" * 40}, "config: weights.sd.folder: found 'x' beside hub 'a/b'"),
        ({"hub": "a/b"}, "config: weights.sd.revision: found None, expected the hash of a commit"),
        ({"hub": "a/b", "revision": "main"}, "config: weights.sd.revision: found 'main'"),
        ({"hub": "../../b", "revision": "0" * 40}, "config: weights.sd.hub: found '../../b'"),
    ],
)
def test_an_entry_names_one_place_and_a_commit(given: dict[str, str], complaint: str) -> None:
    with pytest.raises(UserError) as caught:
        read_study(tiny_config() | {"weights": {"sd": given}})
    assert str(caught.value).startswith(complaint)
