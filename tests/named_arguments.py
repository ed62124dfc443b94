"""Which functions of a room have parameters that cannot be given by name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any


def positional_only(room: str) -> list[str]:
    """Return `module.function` of every function or method with such parameters, self aside."""
    package = importlib.import_module(f"langrearrange.{room}")
    names = [m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    modules = map(importlib.import_module, (package.__name__, *names))
    return sorted({name for module in modules for name in _offending(module)})


def _offending(module: Any) -> Iterator[str]:
    for owner in (module, *filter(inspect.isclass, vars(module).values())):
        for member in vars(owner).values():
            function = inspect.unwrap(getattr(member, "__func__", member))
            if inspect.isfunction(function) and function.__module__ == module.__name__:
                if any(p.kind is p.POSITIONAL_ONLY for p in _named(function)):
                    yield f"{module.__name__}.{function.__qualname__}"


def _named(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
