"""The two versions key what they say they key, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

PROBE = Path(__file__).with_name("version_probe.py")


@cache
def probe(version: str = "EPISODE_VERSION", value: str = "0") -> dict[str, Any]:
    command = [sys.executable, str(PROBE), version, value]
    result: dict[str, Any] = json.loads(
        subprocess.run(command, check=True, capture_output=True).stdout
    )
    return result


def test_another_episode_version_draws_every_episode_anew_and_nothing_else() -> None:
    before, after = probe(), probe("EPISODE_VERSION", "1")
    assert all(a != b for a, b in zip(before["episodes"], after["episodes"], strict=True))
    for what in ("flats", "frames", "orders"):
        assert before[what] == after[what]


def test_another_house_version_draws_every_flat_look_and_order_anew() -> None:
    before, after = probe(), probe("HOUSE_VERSION", "1")
    assert before["flats"].keys() == after["flats"].keys()
    assert all(before["flats"][name] != after["flats"][name] for name in before["flats"])
    assert all(
        before["frames"][name]["rgb"] != after["frames"][name]["rgb"] for name in before["frames"]
    )
    assert all(a != b for a, b in zip(before["orders"], after["orders"], strict=True))
