"""Registered modules by the kind that a configuration names."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from diffusion_credit.base.errors import UserError

PLACES = {  # group of plug-ins -> the package that holds them
    "sources": "data.sources",
    "designs": "subsets.draws",
    "networks": "models.networks",
    "families": "models.families",
    "pruning": "models.pruning",
    "given": "models.given",
    "regimes": "models.regimes",
    "extractors": "measuring.extractors",
    "properties": "measuring.properties",
    "estimators": "credit.estimators",
    "baselines": "baselines.methods",
}


def name_of(group: str, kind: str) -> str:
    """The module of a kind, named after it with _ for -, as a dotted name below this library."""
    return f"{PLACES[group]}.{kind.replace('-', '_')}"


def module_of(group: str, kind: str) -> Any:
    """The module of a kind, which is of the protocol in its package. group: one of PLACES."""
    return import_module(f"diffusion_credit.{name_of(group, kind)}")


def packages_of(group: str, kind: str) -> dict[str, str]:
    """Versions of the packages that a module's results depend on, beyond those of every result of its stage.

    Raises UserError naming the extra that brings one which is not installed.
    """
    return _versions(getattr(module_of(group, kind), "PACKAGES", {}), f"{group} of kind {kind}")


def packages_of_training(options: dict[str, Any]) -> dict[str, str]:
    """Versions of the packages that a `training` section needs. Raises UserError as `packages_of` does."""
    eight_bit = options.get("optimizer") == "adamw_8bit"
    return _versions({"bitsandbytes": "adam8bit"} if eight_bit else {}, "optimizer adamw_8bit")


def require_package(name: str, extra: str, user: str) -> None:
    """Raise UserError naming the extra that brings a package when it is not installed. user: what needs it."""
    _versions({name: extra}, user)


def _versions(packages: dict[str, str], user: str) -> dict[str, str]:
    found = {}
    for name, extra in packages.items():
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            raise UserError(
                f"{user}: the package {name} was not found, expected it installed, as by pip install -e '.[{extra}]'"
            ) from None
    return found
