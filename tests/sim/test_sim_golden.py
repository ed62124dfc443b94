"""Frames are the same bytes as ever: on every x86-64 or aarch64 machine, in every release of v0."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import numpy as np
import pytest
from golden_frames import VIEWS, digests, draw
from PIL import Image

FRAMES = Path(__file__).resolve().parent.parent / "golden" / "frames"

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64", "aarch64"),
    reason="pixels are promised bit-identical on x86-64 and aarch64 only",
)


@pytest.mark.parametrize("name", VIEWS)
def test_a_golden_frame_is_drawn_byte_for_byte(name: str) -> None:
    golden = json.loads((FRAMES / "frames.json").read_text())
    frame = draw(VIEWS[name])
    picture = np.asarray(Image.open(FRAMES / f"{name}.png"))
    different = (frame.rgb != picture).any(axis=-1).sum()
    assert digests(frame) == golden[name], (
        f"{different} pixels of '{name}' changed colour; if that is meant, run `make golden`, look "
        f"at tests/golden/frames/{name}.png and commit it with the reason"
    )


def test_every_golden_frame_has_a_view() -> None:
    golden = json.loads((FRAMES / "frames.json").read_text())
    assert sorted(golden) == sorted(VIEWS)
