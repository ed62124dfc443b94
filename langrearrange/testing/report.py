"""The error that checks raise: an AssertionError with one sentence, which pytest prints."""

from langrearrange.errors import LangRearrangeError


class CheckError(LangRearrangeError, AssertionError):
    """Something that was checked does not keep its contract."""


def require(holds: bool, message: str) -> None:
    """Raise CheckError with the message unless it holds."""
    if not holds:
        raise CheckError(message)
