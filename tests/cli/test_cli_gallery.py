"""`langrearrange gallery` writes sheets, names them on stdout and overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from langrearrange.cli.main import main


def test_a_sheet_a_floor_plan_is_written_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sheets"
    options = ["--flats", "validation", "--size", "16", "--out", str(out)]
    assert main(["gallery", "flats", *options]) == 0
    (printed,) = capsys.readouterr().out.split()
    assert printed == str(out / "flats_plan_3.png")
    with Image.open(printed) as sheet:
        assert sheet.size == (3 * (2 * 16 + 4), 7 * (16 + 18))
    assert main(["gallery", "flats", *options]) == 2
    assert "--force" in capsys.readouterr().err


def test_a_size_that_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gallery", "models", "--size", "4", "--out", str(tmp_path / "x")]) == 2
    assert "16 to 2048" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
