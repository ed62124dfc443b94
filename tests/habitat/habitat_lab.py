"""Asks habitat-lab through `habitat_lab_probe`, in LANGREARRANGE_HABITAT_PYTHON's environment."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

PYTHON = os.environ.get("LANGREARRANGE_HABITAT_PYTHON", "")


@cache
def _why_not() -> str:
    """Return why habitat-lab cannot be asked, "" if it can."""
    if not PYTHON:
        return "LANGREARRANGE_HABITAT_PYTHON names no Python"
    done = subprocess.run(
        [PYTHON, "-c", "import habitat"], capture_output=True, text=True, check=False
    )
    last = (done.stderr.strip().splitlines() or [""])[-1]
    return f"habitat-lab does not import in {PYTHON}: {last}" if done.returncode else ""


def ask(request: dict[str, Any]) -> dict[str, Any]:
    """Return the probe's answer; skip the test where habitat-lab does not import."""
    if reason := _why_not():
        pytest.skip(reason)
    probe = Path(__file__).with_name("habitat_lab_probe.py")
    done = subprocess.run(
        [PYTHON, str(probe)], input=json.dumps(request), capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
