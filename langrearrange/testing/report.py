"""How the checks speak: one sentence per fault, raised as an AssertionError that pytest shows."""

from __future__ import annotations

from langrearrange.errors import LangRearrangeError


class CheckError(LangRearrangeError, AssertionError):
    """Something that was checked does not keep its contract."""


def require(holds: bool, message: str) -> None:
    """Raise CheckError with the message unless it holds."""
    if not holds:
        raise CheckError(message)
