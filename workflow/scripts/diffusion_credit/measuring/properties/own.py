"""A property of the user's own: one Python file that says which way is up, and gives a folder of images a number.

Snakemake reads the file without running it; only the jobs that measure run it.
"""

import ast
import sys
import traceback
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, ClassVar, Literal, Self
from zipfile import ZipFile

from pydantic import Field, computed_field, model_validator

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import digest_of_file, read_manifest
from diffusion_credit.base.options import PropertySection
from diffusion_credit.data.images import ZIP

DIRECTION = "HIGHER_IS_BETTER"


class Options(PropertySection):
    """A property of your own, in a Python file. docs/properties.md has an example."""

    reads: ClassVar[Literal["features", "images"]] = "images"

    kind: Literal["own"]
    file: str = Field(min_length=1, description="The Python file, relative to where the workflow is run.")

    @model_validator(mode="after")
    def check(self) -> Self:
        declared_direction(Path(self.file))
        return self

    def explanation(self) -> str:
        """The beginning of what the file says of its `evaluate`, or of itself."""
        tree = ast.parse(Path(self.file).read_bytes())
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "evaluate"]
        said = ast.get_docstring(functions[0]) or ast.get_docstring(tree) or ""
        first = " ".join(said.partition("\n\n")[0].split())
        return first or f"A number that {self.file} finds for the generated images."

    @property
    def higher_is_better(self) -> bool:  # type: ignore[override]
        return declared_direction(Path(self.file))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sha256(self) -> str:
        return digest_of_file(self.file)


def declared_direction(file: Path) -> bool:
    """The value that a file gives HIGHER_IS_BETTER, read without running it.

    Raises ValueError when the file is missing, is not Python, or lacks that or the function `evaluate`.
    """
    try:
        tree = ast.parse(file.read_bytes())
        compile(tree, str(file), "exec")
    except OSError as error:
        raise ValueError(f"file: found no file {file} that can be read ({error.strerror}), expected Python") from None
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ValueError(
            f"file: found {getattr(error, 'msg', error)} in {file}, line {line}, expected Python"
        ) from None
    if not any(isinstance(node, ast.FunctionDef) and node.name == "evaluate" for node in tree.body):
        raise ValueError(f"file: found no function evaluate in {file}, expected def evaluate(folder)")
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == DIRECTION for target in targets):
            value = getattr(node, "value", None)
            if isinstance(value, ast.Constant) and isinstance(value.value, bool):
                return value.value
            raise ValueError(f"file: found {DIRECTION} in {file}, line {node.lineno}, expected True or False for it")
    raise ValueError(f"file: found no {DIRECTION} in {file}, expected {DIRECTION} = True or False")


def read(folder: Path) -> Path:
    """The folder of one model's images, after a look whether they are unchanged."""
    read_manifest(folder)
    return folder


def evaluate(images: Path, options: dict[str, Any], reference: dict[str, Any]) -> float:
    """What the file's `evaluate` makes of a folder with the images as 00000.png, 00001.png, ...

    Raises UserError naming the file, with the line where there is one, on any error in it, and when it gives no
    number.
    """
    file = Path(options["file"])
    with TemporaryDirectory() as folder, ZipFile(images / ZIP) as archive:
        archive.extractall(folder)
        try:
            value = _load(file, options["sha256"]).evaluate(Path(folder))
        except UserError:
            raise
        except (Exception, SystemExit) as error:
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
            where = f"{file}, line {lines[-1]}" if lines else str(file)
            raise UserError(f"{where}: {' '.join(f'{type(error).__name__}: {error}'.split())}") from None
    try:
        if isinstance(value, str):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        found = " ".join(repr(value).split())
        raise UserError(f"{file}: found that evaluate returned {found:.80}, expected a number") from None


@cache
def _load(file: Path, sha256: str) -> ModuleType:
    """The file as a module, run once a process. Raises UserError when it is not the one that the jobs were made for."""
    source = file.read_bytes()
    if digest_of_file(file) != sha256:
        raise UserError(
            f"{file}: found changed since the workflow was started, expected the same file; start the workflow again"
        )
    module = sys.modules["own_property"] = ModuleType("own_property")
    module.__file__ = str(file)
    exec(compile(source, str(file), "exec"), module.__dict__)
    return module
