"""What code a result depends on: a digest of a script and of every module of this library that it imports.

Comments, docstrings, descriptions of options, layout and modification times do not count, what else the interpreter
runs does. Package `__init__` files hold registrations and types only and do not count either, so that a new property
leaves the old ones be.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


@cache
def code_digest(script: str | Path, *plugins: str) -> str:
    """sha256 over a script, the modules it imports (transitively), and the named plugin modules.

    plugins: dotted names below this package that the script loads by name, such as "measuring.properties.fid".
    """
    found: dict[str, str] = {}
    waiting = [Path(script), *(PACKAGE / (name.replace(".", "/") + ".py") for name in plugins)]
    while waiting:
        path = waiting.pop()
        name = path.name if path.parent != PACKAGE and PACKAGE not in path.parents else str(path.relative_to(PACKAGE))
        if name not in found:
            found[name], imported = _read(path, Path(script).parent)
            waiting += imported
    return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()


@cache
def _read(path: Path, scripts: Path) -> tuple[str, tuple[Path, ...]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported: list[Path] = []
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            for root in (PACKAGE.parent, scripts):
                file = root / (name.replace(".", "/") + ".py")
                if file.is_file():
                    imported.append(file)
                    break
    return hashlib.sha256(_normal(tree).encode()).hexdigest(), tuple(imported)


def _normal(node: object) -> str:
    """A text of the syntax tree without positions and docstrings; empty fields are left out, as Pythons differ."""
    if isinstance(node, list):
        kept = (item for item in node if not (isinstance(item, ast.keyword) and item.arg == "description"))
        return "[" + ",".join(map(_normal, kept)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node):
        node.body = node.body[1:]
    fields = [f"{name}={_normal(value)}" for name, value in ast.iter_fields(node) if value not in (None, [])]
    return f"{type(node).__name__}({','.join(fields)})"
