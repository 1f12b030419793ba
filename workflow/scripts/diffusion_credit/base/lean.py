"""PyTorch, diffusers, transformers and peft without what importing them brings along.

A U-Net of diffusers alone imports every transformer of that library, peft, transformers, scipy, PyTorch's compiler and
its parts for many machines: four seconds in each of hundreds of jobs, which use none of them.
"""

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

COMPILER = "torch._dynamo"
LIGHT = f"{COMPILER}._trace_wrapped_higher_order_op"  # its only part that transformers imports; it needs no other
# The libraries ask whether these are installed. Python finds no module whose entry in sys.modules is None.
OPTIONAL = ("bitsandbytes", "peft", "scipy", "sklearn", "torchvision", "transformers")
BRINGS = {"peft": ("peft", "transformers"), "transformers": ("transformers",)}
# These import all their modules as soon as one of them is imported; a package without content does not.
EMPTY = (
    "diffusers.hooks",
    "diffusers.models.autoencoders",
    "diffusers.models.transformers",
    "diffusers.models.unets",
)
NEEDED = {  # package -> its modules that jobs use, in the order of the packages' own needs
    "transformers": ("transformers.modeling_layers", "transformers.models.auto"),
    "peft": ("peft",),
    "diffusers": (
        "diffusers.hooks.group_offloading",
        "diffusers.models.autoencoders.autoencoder_kl",
        "diffusers.models.autoencoders.vq_model",
        "diffusers.models.downsampling",
        "diffusers.models.transformers.dit_transformer_2d",
        "diffusers.models.unets.unet_2d",
        "diffusers.models.unets.unet_2d_condition",
        "diffusers.models.upsampling",
        "diffusers.schedulers.scheduling_ddim",
        "diffusers.schedulers.scheduling_ddpm",
        "diffusers.schedulers.scheduling_dpmsolver_multistep",
        "diffusers.schedulers.scheduling_flow_match_euler_discrete",
        "diffusers.schedulers.scheduling_pndm",
    ),
}


def _load_compiler() -> ModuleType:
    """The real one, from now on."""
    if isinstance(sys.modules[COMPILER], _Compiler):
        del sys.modules[COMPILER]
    compiler = import_module(COMPILER)
    setattr(compiler, LIGHT.rpartition(".")[2], sys.modules[LIGHT])
    return compiler


class _Path:
    """Where the parts of the compiler lie, which Python asks for when somebody imports one."""

    def __iter__(self) -> Iterator[str]:
        return iter(_load_compiler().__path__)


class _Compiler(ModuleType):
    """Stands in for PyTorch's compiler, which libraries ask to leave some of their functions alone.

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
    def graph_break(*_: Any, **__: Any) -> None:
        pass

    @staticmethod
    def allow_in_graph(function: Any) -> Any:
        return function

    @staticmethod
    def assume_constant_result(function: Any) -> Any:
        return function


def _without_compiler(torch: ModuleType) -> None:
    """Put the stand-in in place, unless the real compiler is there already, and LIGHT with it."""
    if COMPILER in sys.modules:
        return
    sys.modules[COMPILER] = compiler = _Compiler(COMPILER)
    compiler.__path__ = [str(Path(str(torch.__file__)).parent / "_dynamo")]  # for LIGHT alone, which must not load it
    import_module(LIGHT)
    del compiler.__path__


@contextmanager
def _not_installed(torch: ModuleType, used: set[str]) -> Iterator[None]:
    """Meanwhile nobody finds an optional package that is not used, nor PyTorch's parts for many machines."""
    hidden = [name for name in OPTIONAL if name not in used and name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    distributed = torch.distributed.is_available
    torch.distributed.is_available = lambda: False
    try:
        yield
    finally:
        torch.distributed.is_available = distributed
        for name in hidden:
            del sys.modules[name]


def import_lean(packages: Collection[str]) -> None:
    """Import what jobs use of these packages, unless one of them is there already. Others are left alone.

    For processes that use nothing else of them: for the libraries, optional packages that are not among `packages`,
    nor needed by them, are not installed until the process ends. Everybody else can import them afterwards.
    """
    wanted = [name for name in NEEDED if name in packages]
    if not wanted or any(name in sys.modules for name in wanted):
        return
    torch = import_module("torch")  # before anything stands in for a part of it
    _without_compiler(torch)
    if "diffusers" in wanted:
        root = Path(str(find_spec("diffusers").origin)).parent  # type: ignore[union-attr]
        for name in EMPTY:
            sys.modules[name] = package = ModuleType(name)
            package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    with _not_installed(torch, {part for name in wanted for part in BRINGS.get(name, ())}):
        for name in wanted:
            for module in NEEDED[name]:
                import_module(module)
