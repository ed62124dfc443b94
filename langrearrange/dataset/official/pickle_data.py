"""Reading a pickle as plain data, without Python's pickle machine. Not for what the data mean.

A pickle is a program. This module runs no part of it that could name or call anything: it admits
the opcodes that build numbers, texts, lists, tuples and dicts, and of globals exactly the three
names of a NumPy array, which it reads itself. All else is refused at the opcode that asks for it.
Memory stays within a small multiple of the file: no opcode reserves room that its bytes do not
fill, and the number of opcodes is bounded.
"""

from __future__ import annotations

import math
import pickletools
import struct
from collections.abc import Callable
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import DatasetError

DEFAULT_MAX_BYTES: Final = 32 * 1024 * 1024
"""The published files have up to 0.8 MB each, but for the training file with 834 MB."""
BYTES_PER_OPCODE: Final = 8
"""At most one opcode for so many bytes of the limit; published files have one for 15 or more."""
_GLOBALS: Final = {
    ("numpy.core.multiarray", "_reconstruct"): "_reconstruct",
    ("numpy._core.multiarray", "_reconstruct"): "_reconstruct",
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
}
_DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "f4": np.dtype("<f4"),
    "f8": np.dtype("<f8"),
    "i8": np.dtype("<i8"),
}
_MAX_INT_BYTES: Final = 8
_SMALL: Final = 16
"""Extent that an empty array may have along its other axes."""


class Array:
    """A number array of the pickle: `values` is read-only and shares the file's bytes."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: NDArray[Any] = np.empty((0,))


class _Dtype:
    __slots__ = ("code",)

    def __init__(self, code: str) -> None:
        self.code = code


class _Global:
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Refused(Exception):
    """The opcode at hand is not admitted (control flow within this module)."""


def read_pickle(data: bytes, place: str, max_bytes: int = DEFAULT_MAX_BYTES) -> object:
    """Return what a pickle describes: None, bool, int, float, str, bytes, list, tuple, dict, Array.

    Lists and dicts may be shared or contain themselves; whoever walks them has to bound the walk.

    Args:
        data: the whole file.
        place: its name, for messages.
        max_bytes: size that is admitted; the number of opcodes is bounded along with it.

    Raises:
        DatasetError: too large, truncated, or not plain data. Nothing is imported or called.
    """
    if len(data) > max_bytes:
        raise DatasetError(
            f"{place}: {len(data)} bytes; accepted: at most {max_bytes}. If you trust the file, "
            "admit more (--max-mb)"
        )
    return _Reader(place, max_bytes // BYTES_PER_OPCODE).read(data)


class _Reader:
    def __init__(self, place: str, max_opcodes: int) -> None:
        self._place = place
        self._max_opcodes = max_opcodes
        self._stack: list[Any] = []
        self._outer: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def read(self, data: bytes) -> object:
        position = 0
        try:
            for number, (opcode, argument, found_at) in enumerate(pickletools.genops(data)):
                position = found_at or 0
                if number >= self._max_opcodes:
                    raise _Refused(f"there are more than {self._max_opcodes} opcodes")
                if opcode.name == "STOP":
                    return self._finish(len(data), position)
                self._do(opcode.name, argument)
        except _Refused as error:
            self._refuse(position, str(error))
        except (ValueError, IndexError, KeyError, OverflowError, struct.error):
            pass
        raise DatasetError(
            f"{self._place}: truncated or not a pickle (near byte {position}); nothing was "
            "executed. Fetch the file again"
        )

    def _finish(self, length: int, position: int) -> object:
        if position + 1 != length:
            raise _Refused(f"{length - position - 1} bytes follow the pickle's end")
        if self._outer:
            raise ValueError("a mark was never closed")
        (result,) = self._stack
        return result

    def _refuse(self, position: int, what: str) -> NoReturn:
        raise DatasetError(
            f"{self._place}: refused at byte {position}: {what}; accepted: plain data and number "
            "arrays. Nothing was executed; take the file from its publisher"
        ) from None

    def _do(self, name: str, argument: Any) -> None:
        if name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _LITERALS:
            self._literal(argument)
        elif name in _ACTIONS:
            _ACTIONS[name](self, argument)
        else:
            raise _Refused(f"the opcode {name}")

    def _literal(self, value: Any) -> None:
        if type(value) is int and value.bit_length() > 8 * _MAX_INT_BYTES:
            raise _Refused(f"an integer of more than {_MAX_INT_BYTES} bytes")
        self._stack.append(value)

    # -- structure ----------------------------------------------------------------------------

    def _ignore(self, _: Any) -> None:
        """PROTO and FRAME say nothing about the data."""

    def _mark(self, _: Any) -> None:
        self._outer.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        items = self._stack
        self._stack = self._outer.pop()
        return items

    def _memoize(self, _: Any) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _put(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    def _get(self, index: int) -> None:
        self._stack.append(self._memo[index])

    def _new_list(self, _: Any) -> None:
        self._stack.append([])

    def _new_dict(self, _: Any) -> None:
        self._stack.append({})

    def _append(self, _: Any) -> None:
        item = self._stack.pop()
        self._top(list).append(item)

    def _appends(self, _: Any) -> None:
        items = self._since_mark()
        self._top(list).extend(items)

    def _set_item(self, _: Any) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set(self._top(dict), key, value)

    def _set_items(self, _: Any) -> None:
        items = self._since_mark()
        target = self._top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            self._set(target, key, value)

    def _set(self, target: dict[Any, Any], key: Any, value: Any) -> None:
        if type(key) not in (str, int):  # hashing nested tuples can take forever
            raise _Refused(f"a {type(key).__name__} as a key")
        target[key] = value

    def _top(self, kind: type) -> Any:
        top = self._stack[-1]
        if type(top) is not kind:
            raise _Refused(f"items put into a {type(top).__name__.strip('_').lower()}")
        return top

    def _tuple(self, _: Any) -> None:
        items = self._since_mark()
        self._stack.append(tuple(items))

    def _last(self, count: int) -> None:
        items = [self._stack.pop() for _ in range(count)]
        self._stack.append(tuple(reversed(items)))

    # -- number arrays ------------------------------------------------------------------------

    def _global(self, argument: str) -> None:
        module, name = argument.split(" ")
        self._admit(module, name)

    def _stack_global(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._admit(module, name)

    def _admit(self, module: object, name: object) -> None:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise _Refused("a global without a name")
        if (module, name) not in _GLOBALS:
            raise _Refused(f"it asks for {module[:60]!a}, {name[:60]!a}")
        self._stack.append(_Global(_GLOBALS[module, name]))

    def _reduce(self, _: Any) -> None:
        arguments, called = self._stack.pop(), self._stack.pop()
        if not isinstance(called, _Global) or type(arguments) is not tuple:
            raise _Refused("a call")
        if called.name == "dtype" and len(arguments) == 3:
            code = arguments[0]
            if type(code) is not str or code not in _DTYPES:
                raise _Refused("an array of something else than float32, float64 or int64")
            self._stack.append(_Dtype(code))
        elif (
            called.name == "_reconstruct"
            and len(arguments) == 3
            and isinstance(arguments[0], _Global)
            and arguments[0].name == "ndarray"
            and type(arguments[1]) is tuple
            and len(arguments[1]) == 1
            and _is_zero(arguments[1][0])
        ):
            self._stack.append(Array())
        else:
            raise _Refused(f"a call of numpy's {called.name} that makes no array")

    def _build(self, _: Any) -> None:
        state = self._stack.pop()
        top = self._stack[-1]
        if type(state) is not tuple or not isinstance(top, (_Dtype, Array)):
            raise _Refused(f"state given to a {type(top).__name__.strip('_').lower()}")
        if isinstance(top, Array):
            top.values = _array(state)
        elif len(state) != 8 or type(state[1]) is not str or state[1] != "<":
            raise _Refused("an array type that is not little-endian")


def _is_zero(value: object) -> bool:
    return type(value) is int and value == 0


def _array(state: tuple[Any, ...]) -> NDArray[Any]:
    if len(state) != 5:
        raise _Refused("an array without shape, type and bytes")
    _, shape, dtype, column_major, data = state
    if type(shape) is not tuple or len(shape) > 4 or not isinstance(dtype, _Dtype):
        raise _Refused("an array without shape and type")
    if type(column_major) is not bool or type(data) is not bytes:
        raise _Refused("an array without bytes")
    if any(type(n) is not int or not 0 <= n <= max(len(data), _SMALL) for n in shape):
        raise _Refused("an array larger than its bytes")
    kind = _DTYPES[dtype.code]
    if math.prod(shape) * kind.itemsize != len(data):
        raise _Refused("an array whose shape does not fit its bytes")
    values: NDArray[Any] = np.frombuffer(data, kind)
    return values.reshape(shape, order="F" if column_major else "C")


_CONSTANTS: Final[dict[str, Any]] = {
    "NONE": None,
    "NEWTRUE": True,
    "NEWFALSE": False,
    "EMPTY_TUPLE": (),
}
_LITERALS: Final = frozenset(
    "BININT BININT1 BININT2 LONG1 BINFLOAT SHORT_BINUNICODE BINUNICODE SHORT_BINBYTES BINBYTES "
    "BINBYTES8 BINUNICODE8".split()
)
_ACTIONS: Final[dict[str, Callable[[_Reader, Any], None]]] = {
    "PROTO": _Reader._ignore,
    "FRAME": _Reader._ignore,
    "MARK": _Reader._mark,
    "MEMOIZE": _Reader._memoize,
    "BINPUT": _Reader._put,
    "LONG_BINPUT": _Reader._put,
    "BINGET": _Reader._get,
    "LONG_BINGET": _Reader._get,
    "EMPTY_LIST": _Reader._new_list,
    "EMPTY_DICT": _Reader._new_dict,
    "APPEND": _Reader._append,
    "APPENDS": _Reader._appends,
    "SETITEM": _Reader._set_item,
    "SETITEMS": _Reader._set_items,
    "TUPLE": _Reader._tuple,
    "TUPLE1": lambda reader, _: reader._last(1),
    "TUPLE2": lambda reader, _: reader._last(2),
    "TUPLE3": lambda reader, _: reader._last(3),
    "GLOBAL": _Reader._global,
    "STACK_GLOBAL": _Reader._stack_global,
    "REDUCE": _Reader._reduce,
    "BUILD": _Reader._build,
}
