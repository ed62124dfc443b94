"""Errors of training and of what it reads. Not for wrong options (`UsageError`)."""

from __future__ import annotations

from langrearrange.errors import LangRearrangeError


class BackboneError(LangRearrangeError, ValueError):
    """A language model that cannot be found, read or used as a policy's backbone."""


class CheckpointError(LangRearrangeError, ValueError):
    """A checkpoint that is missing, corrupt, or of another model, encoder or version."""


class TrainingError(LangRearrangeError, RuntimeError):
    """Training cannot continue: a NaN, a broken invariant, too little memory, a lost process."""
