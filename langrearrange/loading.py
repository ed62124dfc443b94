"""Objects named `module:name`, as users give their own agents, exporters and the like."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from typing import Any

from langrearrange.errors import LangRearrangeError, UsageError


def load_object(name: str, what: str, error: type[LangRearrangeError] = UsageError) -> Any:
    """Import `module:name`; modules are searched in the working directory as well.

    Args:
        name: such as `my_package.my_module:MyClass`.
        what: noun for messages, such as `agent`.
        error: what is raised.

    Raises:
        LangRearrangeError: of the given type: not in that form, the import fails, or the module
            has no such callable.
    """
    module_name, _, attribute = name.partition(":")
    if not (module_name and attribute):
        raise error(f"{what} '{name}' is not of the form module:Class")
    here = os.getcwd()
    ours = module_name.startswith(f"{__package__}.")
    if here not in sys.path and not ours:  # as `python -m` does; a console script does not
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except Exception as failure:
        raise error(
            f"{what} '{name}': importing '{module_name}' failed: {type(failure).__name__}: "
            f"{failure}. Modules are searched in {here} and in the installed packages."
        ) from failure
    found = getattr(module, attribute, None)
    if not callable(found):
        known = [n for n, value in vars(module).items() if isinstance(value, type)]
        raise error(
            f"{what} '{name}': '{module_name}' has no class '{attribute}'; "
            f"its classes: {', '.join(known) or 'none'}"
        )
    return found


def takes(make: Callable[..., Any], name: str) -> bool:
    """Return whether a callable has a parameter of this name, or takes any keyword."""
    try:
        parameters = inspect.signature(make).parameters
    except (TypeError, ValueError):  # some built-in callables have no signature
        return False
    kinds = {parameter.kind for parameter in parameters.values()}
    return name in parameters or inspect.Parameter.VAR_KEYWORD in kinds


def call_factory(
    make: Callable[..., Any], what: str, error: type[LangRearrangeError], **known: Any
) -> Any:
    """Call a user's factory with those of the keywords that it takes.

    Args:
        make: the factory.
        what: begins the message, such as `agent 'my:Agent'`.
        error: what is raised.
        known: keywords that a factory may take.

    Raises:
        LangRearrangeError: the factory's own, or of the given type for whatever else it raised.
    """
    try:
        return make(**{name: value for name, value in known.items() if takes(make, name)})
    except LangRearrangeError:
        raise
    except Exception as failure:
        # Foreign code may raise anything; the user needs to know whose it was.
        raise error(
            f"{what} could not be made: {type(failure).__name__}: {failure}. It is called with "
            f"those of {', '.join(known) or 'no arguments'} that it takes."
        ) from failure
