"""Unpickling of bytes, text, numbers, lists, dicts and uint8 arrays, and of nothing else.

A pickle is a program that may call whatever it names. This one may name what arrays are made of, and gets stand-ins
for that: numpy's own functions would take shapes, types and flags from the pickle without a doubt. Pickle can set
attributes of classes and functions that it gets hold of, hence bound methods and instances with slots only. And it is
Python's own unpickler in Python: the one in C allocates whatever a few bytes claim to need.
"""

import pickle
from typing import IO, Any

import numpy as np

ARRAYS = {"numpy.core.multiarray", "numpy._core.multiarray"}  # numpy 1, as Python 2 wrote it, and numpy 2


class _Bytes:
    """Stands for numpy.dtype("u1")."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        """Byte order and fields, which single bytes have not."""


class _Array:
    """Stands for an array, None until its state comes."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: np.ndarray | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, by_columns, data = state
        if not isinstance(kind, _Bytes) or not isinstance(data, bytes):
            raise pickle.UnpicklingError("an array that is not of uint8")
        self.value = np.frombuffer(data, dtype=np.uint8).reshape(shape, order="F" if by_columns else "C")


class _Unpickler(pickle._Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module in ARRAYS and name == "_reconstruct":
            return self._array
        if (module, name) == ("numpy", "ndarray"):
            return None  # only ever handed to the stand-in for _reconstruct
        if (module, name) == ("numpy", "dtype"):
            return self._type
        if (module, name) == ("_codecs", "encode"):  # how Python 3 writes bytes for Python 2
            return self._encode
        raise pickle.UnpicklingError(f"the global {f'{module}.{name}'[:80]!r}")

    def _array(self, *_: object) -> _Array:
        return _Array()

    def _type(self, code: bytes | str, *_: object) -> _Bytes:
        if code not in (b"u1", "u1"):
            raise pickle.UnpicklingError(f"an array of {code[:80]!r}")
        return _Bytes()

    def _encode(self, text: str, encoding: str) -> bytes:
        if encoding not in ("latin1", b"latin1"):
            raise pickle.UnpicklingError(f"bytes in the encoding {encoding[:80]!r}")
        return text.encode("latin1")


def load(stream: IO[bytes]) -> dict[Any, Any]:
    """The dict that a stream holds; text of Python 2 becomes bytes, arrays are uint8 and cannot be written to.

    Raises pickle.UnpicklingError on anything else that was pickled, and on a damaged pickle.
    """
    try:
        value = _Unpickler(stream, encoding="bytes").load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # nearly any, as a damaged program raises
        raise pickle.UnpicklingError(f"a damaged pickle ({type(error).__name__})") from None
    if type(value) is not dict:
        raise pickle.UnpicklingError("something that is no dict")
    return {key: item.value if isinstance(item, _Array) else item for key, item in value.items()}
