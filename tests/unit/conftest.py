"""What the tests of commands share."""

import sys
from pathlib import Path

import pytest

from diffusion_credit import cli


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Run the command in an empty folder: its output, or the message it exits with."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["diffusion-credit", *arguments])
        try:
            cli.main()
        except SystemExit as error:
            return str(error.code)
        return capsys.readouterr().out

    return command
