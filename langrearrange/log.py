"""Logging for library code: named loggers under `langrearrange`, never configured here."""

from __future__ import annotations

import logging

logging.getLogger("langrearrange").addHandler(logging.NullHandler())


def get_logger(name: str) -> logging.Logger:
    """Return the logger of a module; call it with `__name__`."""
    return logging.getLogger(name)
