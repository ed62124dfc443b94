"""What goes wrong in training, each said in one sentence. Not for users' options (`UsageError`)."""

from __future__ import annotations

from langrearrange.errors import LangRearrangeError


class BackboneError(LangRearrangeError, ValueError):
    """A language model that cannot be found, read or used as a policy's backbone."""


class CheckpointError(LangRearrangeError, ValueError):
    """A checkpoint that is missing, torn, or of another model, data set or version."""


class TrainingError(LangRearrangeError, RuntimeError):
    """Training that cannot go on: a loss that is no number, a broken invariant, a lost worker."""
