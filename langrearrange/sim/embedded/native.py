"""Import of the compiled rasteriser, with a check of its version."""

import importlib
from functools import cache
from types import ModuleType
from typing import Final

from langrearrange.errors import RenderError

INTERFACE: Final = 2
"""What this code expects of `_langrearrange_raster`; both sides change together."""


@cache
def native() -> ModuleType:
    """Return the extension module.

    Raises:
        RenderError: it is missing, broken or of another version.
    """
    try:
        module = importlib.import_module("_langrearrange_raster")
    except ImportError as error:
        raise RenderError(
            f"the compiled renderer is missing ({error}). Run 'pip install .' in the checkout (it "
            "needs a C compiler: 'apt install gcc libc6-dev') or install a wheel."
        ) from error
    found = getattr(module, "INTERFACE", None)
    if found != INTERFACE:
        raise RenderError(
            f"the compiled renderer is stale: it has interface {found}, this version needs "
            f"{INTERFACE}. Run 'pip install .' again (a C compiler: 'apt install gcc libc6-dev')."
        )
    return module


def levels() -> tuple[str, ...]:
    """Return the kernels this processor can run, `plain` first, the one in use by default last."""
    return tuple(native().levels())


def use_level(name: str) -> str:
    """Draw with a given kernel from now on, in the whole process; all give the same bytes.

    For tests and benchmarks. Returns the name of the one in use before; RenderError for a kernel
    that this processor cannot run.
    """
    try:
        before: str = native().use_level(name)
    except ValueError as error:
        raise RenderError(f"{error}: {', '.join(levels())}") from None
    return before
