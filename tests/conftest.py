"""Test settings shared by all rooms."""

from __future__ import annotations

from hypothesis import settings

# Shared machines are slow at times: properties are bounded by examples, never by wall time.
settings.register_profile("default", deadline=None, derandomize=True)
settings.load_profile("default")
