"""What docs/rendering.md shows runs, and what it says of cameras and qualities is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from langrearrange.sim import CAMERA_PRESETS, HFOV_DEG
from langrearrange.sim.embedded import QUALITIES
from langrearrange.sim.embedded.native import levels

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "rendering.md").read_text()


def test_its_snippet_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_it_names_every_quality_camera_and_kernel() -> None:
    for name in (*QUALITIES, *CAMERA_PRESETS, *levels()):
        assert f"`{name}`" in TEXT, name
    assert f"{HFOV_DEG:.0f} degrees wide" in TEXT
