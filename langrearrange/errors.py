"""The package's exceptions: each names a user's mistake and says what to do next.

Not for skills that fail in the world: those are outcomes (`world.Outcome`), never exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

MAX_MESSAGE: Final = 2_500


def printable(text: object) -> str:
    """Return text as a terminal may show it: control and invisible characters escaped."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in str(text))


class LangRearrangeError(Exception):
    """Base of everything this package raises on purpose."""

    def __str__(self) -> str:
        """Return the message as a terminal may show it: long ones are cut, and `printable`."""
        text = super().__str__()
        if len(text) > MAX_MESSAGE:
            text = f"{text[: MAX_MESSAGE - 500]} ... {text[-400:]}"
        return printable(text)


class RunError(LangRearrangeError):
    """Base of errors for damaged data and failed work, not wrong usage (exit status 1)."""


class VocabularyError(LangRearrangeError, ValueError):
    """A word (category, receptacle, skill, split) that the benchmark does not know."""


class GoalError(LangRearrangeError, ValueError):
    """A goal that does not parse, does not type-check or is too large."""


class TemplateError(LangRearrangeError, ValueError):
    """A template file that cannot be used; the message gives file, line and remedy."""


class EpisodeError(RunError, ValueError):
    """An episode that breaks the format or its own promises."""


class DatasetError(RunError, ValueError):
    """A data set folder that is missing, truncated, altered or from a newer version."""


class GenerationError(RunError, RuntimeError):
    """A spec that no episode can be drawn from."""


class SolverError(RunError, RuntimeError):
    """The solver cannot take this problem (too many goal boxes); never 'unsolvable'."""


class HouseError(LangRearrangeError, ValueError):
    """A flat, model or surface that does not exist or does not fit."""


class RenderError(RunError, RuntimeError):
    """The renderer is missing, stale or was given buffers it cannot use."""


class HabitatError(LangRearrangeError, RuntimeError):
    """Habitat is missing, lacks something, lacks a file, or its worker ended."""


class ActionError(LangRearrangeError, ValueError):
    """An action outside the action space."""


class AgentError(LangRearrangeError, RuntimeError):
    """An agent that cannot be loaded or breaks the agent protocol."""


class SubmissionError(RunError, ValueError):
    """A trace or submission file that cannot be scored."""


class ScoreError(RunError, ValueError):
    """Numbers that no statistic can be formed from."""


class UsageError(LangRearrangeError, ValueError):
    """Options that contradict each other or name something that is not there (exit status 2)."""


class ArgumentError(UsageError, TypeError):
    """A keyword that does not exist; also a TypeError, which Python raises and TorchRL expects."""


class MissingExtraError(LangRearrangeError, ImportError):
    """An optional dependency is needed; the message gives the pip command."""

    def __init__(self, feature: str, extra: str, module: str) -> None:
        super().__init__(
            f"{feature} needs the Python module '{module}', which is not installed. "
            f"Install it with: pip install 'langrearrange[{extra}]'"
        )


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """Return `; did you mean 'x'?` for the end of a message, "" if no known word is close."""
    close = get_close_matches(str(word), map(str, known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
