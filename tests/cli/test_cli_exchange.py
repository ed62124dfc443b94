"""Flats for `export` and the filters of `gallery`: what is asked for, nothing over old files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from langrearrange.cli.main import main
from langrearrange.houses import houses_for, models_of


def test_flats_are_exported_and_the_dataset_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "habitat"
    options = ["export", "--format", "habitat", "--flats", "flat_0_07", "flat_4_03", "--no-models"]
    assert main([*options, "--out", str(out)]) == 0
    printed, told = capsys.readouterr()
    config = Path(printed.strip())
    assert config.parent == out
    assert "stages" in json.loads(config.read_text())
    scenes = sorted(path.name.split(".")[0] for path in (out / "scenes").iterdir())
    assert scenes == ["flat_0_07", "flat_4_03"]
    assert "2 flats and 0 models" in told
    assert main([*options, "--out", str(out)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main([*options, "--out", str(out), "--force"]) == 0


@pytest.mark.parametrize("verb", ["export --format habitat", "gallery"])
def test_a_name_that_is_no_flat_is_refused_with_what_is_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    for name in ("attic", "flat_7_00"):
        assert main([*verb.split(), "--flats", name, "--out", str(tmp_path / "out")]) == 2
        told = capsys.readouterr().err
        assert f"'{name}' names no flats" in told
        assert "all, train, validation, test, or ids from flat_0_00 to flat_4_20" in told
    assert not (tmp_path / "out").exists()


def test_a_gallery_shows_the_flats_and_kinds_that_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sheets"
    flats = ["--flats", "flat_0_07", "flat_4_03", "flat_0_07"]
    kinds = ["--categories", "mug", "orange"]
    assert main(["gallery", *flats, *kinds, "--size", "16", "--out", str(out)]) == 0
    names = [Path(line).name for line in capsys.readouterr().out.split()]
    assert names == ["flats_plan_0.png", "flats_plan_4.png", "models.png"]
    num_models = len(models_of("mug")) + len(models_of("orange"))
    with Image.open(out / "models.png") as sheet:
        assert sheet.width == num_models * 20
    with Image.open(out / "flats_plan_0.png") as sheet:
        assert sheet.width == 2 * 16 + 4
    assert main(["gallery", "models", "--categories", "piano", "--out", str(out / "x")]) == 2
    assert "piano" in capsys.readouterr().err


def test_roles_and_ids_mix() -> None:
    from langrearrange.houses.flats import flat_ids

    assert flat_ids(["test", "flat_4_00", "flat_0_00"]) == (*houses_for("test"), "flat_0_00")
    assert len(flat_ids(["all"])) == 105
