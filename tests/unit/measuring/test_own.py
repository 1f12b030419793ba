"""The user's own property: the docs' example is right, and every mistake in a file is one sentence with its place."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from studies import tiny_config

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import read_json
from diffusion_credit.measuring.features import write_data_images
from diffusion_credit.measuring.properties import own
from diffusion_credit.measuring.values import PROPERTY, measure
from diffusion_credit.study.config import plain, read_study

DOCS = Path(__file__).parents[3] / "docs/properties.md"
PIXELS = np.random.default_rng(0).integers(0, 256, (7, 6, 5, 3), dtype=np.uint8)
GOOD = "HIGHER_IS_BETTER = False\ndef evaluate(folder):\n    return len(list(folder.iterdir()))\n"


def example(language: str) -> str:
    found = re.search(rf"## Your own property.*?```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], float]:
    """The value that a file's text gives PIXELS."""
    monkeypatch.chdir(tmp_path)
    write_data_images(tmp_path / "images", PIXELS, {})

    def evaluate(text: str) -> float:
        Path("my_property.py").write_text(text)
        options = plain(own.Options(kind="own", file="my_property.py"))
        measure("mine", own, options, tmp_path / "images/manifest.json", None, tmp_path / "values", "")
        return float(read_json(tmp_path / "values/everyone-0" / PROPERTY)["value"])

    return evaluate


def test_the_docs_example(value: Callable[[str], float], tmp_path: Path) -> None:
    assert value(example("python")) == pytest.approx(np.mean(PIXELS / 255), rel=1e-12)
    study = read_study(tiny_config() | yaml.safe_load(example("yaml")))
    assert study.properties["brightness"].higher_is_better is True
    assert len(example("python").strip().splitlines()) <= 12


def test_an_edit_measures_again_and_the_direction_is_read_without_running_the_file(
    value: Callable[[str], float], tmp_path: Path
) -> None:
    assert value(GOOD) == 7
    assert value(GOOD.replace("return len", "return 2 * len")) == 14
    Path("side.py").write_text(f"open('ran', 'w')\n{GOOD}")
    options = own.Options(kind="own", file="side.py")
    assert options.higher_is_better is False
    assert plain(options).keys() == {"transform", "kind", "file", "sha256"}
    assert not Path("ran").exists()
    assert not list(tmp_path.rglob("__pycache__"))


STATIC = {
    "no direction": (GOOD.replace("HIGHER_IS_BETTER", "HIGHER"), "found no HIGHER_IS_BETTER in my_property.py"),
    "computed direction": (
        GOOD.replace("False", "not 1"),
        "found HIGHER_IS_BETTER in my_property.py, line 1, expected",
    ),
    "no function": (GOOD.replace("evaluate", "measure"), "found no function evaluate in my_property.py"),
    "not Python": (GOOD + "def (", "in my_property.py, line 4, expected Python"),
    "return outside": (GOOD + "return 1", "in my_property.py, line 4, expected Python"),
    "null bytes": (GOOD + "\0", "in my_property.py, line 1, expected Python"),
}
RUNNING = {
    "exception": (
        GOOD.replace("len(", "len(1 / 0, "),
        r"^my_property.py, line 3: ZeroDivisionError: division by zero$",
    ),
    "deep exception": (
        GOOD + "import json\nX = json.loads('')\n",
        r"^my_property.py, line 5: JSONDecodeError: Expecting",
    ),
    "own exception": (GOOD + "raise KeyError('a\\nb')\n", r"^my_property.py, line 4: KeyError: 'a\\nb'$"),
    "exit": (GOOD + "raise SystemExit(0)\n", r"^my_property.py, line 4: SystemExit: 0$"),
    "no number": (GOOD.replace("len(", "print("), r"^my_property.py: found that evaluate returned None, expected a n"),
    "array": (
        GOOD.replace("len(", "__import__('numpy').arange(3) + len("),
        r"^my_property.py: found that evaluate returned array",
    ),
    "text": (GOOD.replace("len(", "str("), r"^my_property.py: found that evaluate returned .*PosixPath.*, expected"),
    "not finite": (GOOD.replace("len(", "float('nan') * len("), r"^property mine of .*: found nan, expected a finite"),
}


@pytest.mark.parametrize("name", STATIC)
def test_a_file_that_cannot_be_right_is_refused_by_the_config(tmp_path: Path, monkeypatch, name: str) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    text, complaint = STATIC[name]
    Path("my_property.py").write_text(text)
    with pytest.raises(UserError, match=re.escape(complaint)) as caught:
        read_study(tiny_config() | {"properties": {"mine": {"kind": "own", "file": "my_property.py"}}})
    assert str(caught.value).startswith("config: properties.mine.file: found")
    Path("my_property.py").unlink()
    with pytest.raises(UserError, match=r"found no file my_property.py that can be read"):
        read_study(tiny_config() | {"properties": {"mine": {"kind": "own", "file": "my_property.py"}}})


@pytest.mark.parametrize("name", RUNNING)
def test_an_error_in_the_file_is_one_sentence(value: Callable[[str], float], tmp_path: Path, name: str) -> None:
    text, complaint = RUNNING[name]
    with pytest.raises(UserError, match=complaint):
        value(text)
    assert not (tmp_path / "values/manifest.json").exists()


def test_a_file_that_changed_under_a_running_workflow_is_refused(value: Callable[[str], float]) -> None:
    value(GOOD)
    options = plain(own.Options(kind="own", file="my_property.py"))
    Path("my_property.py").write_text(GOOD + "# another\n")
    own._load.cache_clear()
    with pytest.raises(
        UserError, match=r"my_property.py: found changed since the workflow was started, expected the same file"
    ):
        own.evaluate(Path("images/everyone-0"), options, {})
