"""PyTorch and diffusers' U-Net in pixels without what importing them brings along.

`diffusers.models.unets.unet_2d` alone imports every transformer of the library, peft, transformers, scipy and
PyTorch's compiler: four seconds in each of hundreds of jobs. A U-Net in pixels uses none of them.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

COMPILER = "torch._dynamo"
# diffusers asks whether these are installed. Python finds no module whose entry in sys.modules is None.
NOT_NEEDED = ("accelerate", "peft", "scipy", "transformers")
# These import all their modules as soon as one of them is imported; a package without content does not.
EMPTY = ("diffusers.hooks", "diffusers.models.transformers", "diffusers.models.unets")
NEEDED = (
    "diffusers.hooks.group_offloading",
    "diffusers.models.downsampling",
    "diffusers.models.unets.unet_2d",
    "diffusers.models.upsampling",
    "diffusers.schedulers.scheduling_ddim",
    "diffusers.schedulers.scheduling_ddpm",
    "diffusers.schedulers.scheduling_dpmsolver_multistep",
    "diffusers.schedulers.scheduling_pndm",
)


def _load_compiler() -> ModuleType:
    """The real one, from now on."""
    sys.modules.pop(COMPILER)
    return import_module(COMPILER)


class _Path:
    """Where the parts of the compiler lie, which Python asks for when somebody imports one."""

    def __iter__(self) -> Iterator[str]:
        return iter(_load_compiler().__path__)


class _Compiler(ModuleType):
    """Stands in for PyTorch's compiler, which PyTorch's own optimizers ask to leave some of their functions alone.

    Nothing is compiled here, so that it need not be told. Whatever else it is asked for, the real one answers.
    """

    __path__: Any = _Path()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_load_compiler(), name)

    @staticmethod
    def disable(function: Any = None, *_: Any, **__: Any) -> Any:
        return function or (lambda decorated: decorated)

    @staticmethod
    def graph_break() -> None:
        pass

    @staticmethod
    def allow_in_graph(function: Any) -> Any:
        return function


def import_unet() -> None:
    """Import what training, pruning and sampling a U-Net in pixels needs, unless diffusers is there already.

    For processes that use nothing else of diffusers: for it, the packages that are not needed are not installed until
    the process ends. Everybody else can import them afterwards.
    """
    if "diffusers" in sys.modules:
        return
    import_module("torch")  # before anything stands in for a part of it
    if COMPILER not in sys.modules:
        sys.modules[COMPILER] = _Compiler(COMPILER)
    root = Path(str(find_spec("diffusers").origin)).parent  # type: ignore[union-attr]
    for name in EMPTY:
        sys.modules[name] = package = ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    hidden = [name for name in NOT_NEEDED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        for name in NEEDED:
            import_module(name)
    finally:
        for name in hidden:
            del sys.modules[name]
