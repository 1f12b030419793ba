"""Pretrained weights: what is taken, what is refused, and what a result that uses them records."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import pytest
from studies import tiny_config

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import digest_of_file, files_fingerprint
from diffusion_credit.models.weights import fetch, files_of, open_weights
from diffusion_credit.study.config import plain, read_study
from diffusion_credit.study.sections.weights import Weights

REVISION = "0123456789" * 4


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
        with pytest.raises(ValueError, match=r"files: found .*, expected a pattern that ends in one of \.safetensors"):
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


class Hub(BaseHTTPRequestHandler):
    """One repository with one revision, as far as the hub's client asks."""

    files: ClassVar[dict[str, bytes]] = {
        "config.json": b"{}",
        "unet/model.safetensors": b"weights",
        "unet/model.bin": pickle.dumps(Bomb()),
        "head[1].pth": b"head",
        "modeling.py": b"raise SystemExit",
    }
    asked: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        name = path.removeprefix(f"/a/b/resolve/{REVISION}/")
        listed = [{"type": "file", "path": file, "oid": file, "size": len(self.files[file])} for file in self.files]
        if name in self.files:
            self.asked.add(name)
            body = self.files[name]
        elif path == f"/api/models/a/b/revision/{REVISION}":
            siblings = [{"rfilename": file} for file in self.files]
            body = json.dumps({"id": "a/b", "sha": REVISION, "siblings": siblings}).encode()
        elif path == f"/api/models/a/b/tree/{REVISION}":
            body = json.dumps(listed).encode()
        else:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


FETCH = """
import json, sys
from pathlib import Path
from diffusion_credit.base.errors import UserError
from diffusion_credit.models.weights import fetch, open_weights

try:
    fetch("sd", json.loads(sys.argv[1]), Path(sys.argv[2]))
    print(open_weights(sys.argv[2]))
except UserError as error:
    sys.exit(f"UserError: {error}")
"""


def test_from_the_hub_come_a_revisions_safe_files_and_the_named_ones(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {
            **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "HF_HOME": str(tmp_path / "cache"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }

        def run(revision: str, **given: Any) -> subprocess.CompletedProcess[str]:
            section = plain(Weights(hub="a/b", revision=revision, **given))
            command = [sys.executable, "-c", FETCH, json.dumps(section), str(tmp_path / "manifest.json")]
            return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

        process = run(REVISION, sha256={"head[1].pth": hashlib.sha256(b"head").hexdigest()})
        assert process.returncode == 0, process.stderr
        wanted = {"config.json", "unet/model.safetensors", "head[1].pth"}
        assert Hub.asked == wanted
        assert json.loads((tmp_path / "manifest.json").read_text())["files"].keys() == wanted
        assert (Path(process.stdout.strip()) / "unet/model.safetensors").read_bytes() == b"weights"

        process = run("1" * 40)
        assert process.returncode == 1
        assert process.stderr.splitlines()[-1].startswith(
            "UserError: weights sd: could not be fetched from the hub's a/b"
        )
        server.shutdown()
    process = run(REVISION)  # without a network, from the cache
    assert process.returncode == 0, process.stderr


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


AUTOENCODER = {"channels": [8, 16], "steps": 5, "batch_size": 8, "learning_rate": 0.01}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "config: weights.sd.folder: found nothing, expected exactly one of folder, hub and autoencoder"),
        (
            {"folder": "x", "hub": "a/b", "revision": "0" * 40},
            "config: weights.sd.folder: found folder and hub, expected exactly one of folder, hub and autoencoder",
        ),
        (
            {"folder": "x", "autoencoder": AUTOENCODER},
            "config: weights.sd.folder: found folder and autoencoder, expected exactly one of folder, hub and",
        ),
        (
            {"autoencoder": AUTOENCODER, "sha256": {"config.json": "0" * 64}},
            "config: weights.sd.sha256: found together with autoencoder, expected none",
        ),
        (
            {"autoencoder": {**AUTOENCODER, "channels": [8, 12]}},
            "config: weights.sd.autoencoder.channels: found [8, 12], expected multiples of norm_groups = 8",
        ),
        ({"hub": "a/b"}, "config: weights.sd.revision: found None, expected the hash of a commit"),
        ({"hub": "a/b", "revision": "main"}, "config: weights.sd.revision: found 'main'"),
        ({"hub": "../../b", "revision": "0" * 40}, "config: weights.sd.hub: found '../../b'"),
    ],
)
def test_an_entry_names_one_place_and_a_commit(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError) as caught:
        read_study(tiny_config() | {"weights": {"sd": given}})
    assert str(caught.value).startswith(complaint)
