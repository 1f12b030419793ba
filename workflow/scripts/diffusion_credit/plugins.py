"""Registered modules by the kind that a configuration names."""

from importlib import import_module
from types import ModuleType


def module_of(package: str, kind: str) -> ModuleType:
    """The module of a kind, named after it with _ for -. package: sources, extractors, properties or estimators."""
    return import_module(f"diffusion_credit.{package}.{kind.replace('-', '_')}")
