"""Registered modules by the kind that a configuration names."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

from diffusion_credit.errors import UserError


def module_of(package: str, kind: str) -> ModuleType:
    """The module of a kind, named after it with _ for -. package: sources, extractors, properties or estimators."""
    return import_module(f"diffusion_credit.{package}.{kind.replace('-', '_')}")


def packages_of(package: str, kind: str) -> dict[str, str]:
    """Versions of the packages that a module's results depend on, beyond those of every result of its stage.

    Raises UserError naming the extra that brings one which is not installed.
    """
    found = {}
    for name, extra in getattr(module_of(package, kind), "PACKAGES", {}).items():
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            raise UserError(
                f"{package} of kind {kind}: the package {name} was not found, expected it installed: pip install"
                f" 'diffusion-credit[{extra}]'"
            ) from None
    return found
