"""Every argument of this room's functions can be given by name."""

from __future__ import annotations

from named_arguments import positional_only


def test_no_parameter_is_positional_only() -> None:
    assert positional_only("generator") == []
