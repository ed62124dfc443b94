"""`doctor` names what of Habitat is there and the next command; nothing foreign can end it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import habitat_samples as samples
import pytest

from langrearrange.cli.main import main
from langrearrange.habitat import DATA_VARIABLE, export_habitat
from langrearrange.habitat.simulator import places

ITEMS = (
    "habitat_sim", "OpenGL (EGL)", "GPU", "Habitat data replica_cad_dataset", "Habitat data ycb",
    "Habitat data hab_fetch", "exported flats",
)  # fmt: skip


def rows(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, dict[str, str]]:
    assert main(["doctor", "--json", *options]) == 0
    found = {row["item"]: row for row in json.loads(capsys.readouterr().out)}
    return {item: found[item] for item in ITEMS}


def python_that(tmp_path: Path, script: str) -> str:
    """Return a stand-in for the Python of a Habitat environment."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (DATA_VARIABLE, "LANGREARRANGE_HABITAT_PYTHON"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_every_missing_row_names_the_next_command(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, "--habitat-python", "nowhere/python")
    for item, row in found.items():
        assert row["status"] in ("ok", "optional"), "Habitat is never needed"
        assert row["status"] == "ok" or row["next"], item
    assert "habitat_python='nowhere/python' cannot be run" in found["habitat_sim"]["detail"]
    assert "BUILD_FROM_SOURCE" in found["habitat_sim"]["next"]
    for uid in ("replica_cad_dataset", "ycb", "hab_fetch"):
        then = found[f"Habitat data {uid}"]["next"]
        assert "--uids replica_cad_dataset ycb hab_fetch --data-path data" in then
    assert "langrearrange export --format habitat" in found["exported flats"]["next"]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("""echo '{"number": 0, "error": "habitat_sim 0.1.7 lacks MotionType"}'""",
         "habitat_sim 0.1.7 lacks MotionType"),
        ("kill -SEGV $$", "ended by SIGSEGV"),
        ("echo oh dear >&2; exit 3", "with status 3; it last said: oh dear"),
    ],
)  # fmt: skip
def test_a_habitat_that_does_not_serve_is_one_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str, told: str
) -> None:
    python = python_that(tmp_path, script)
    row = rows(capsys, "--habitat-python", python)["habitat_sim"]
    assert row["status"] == "optional"
    assert told in row["detail"]


def test_a_habitat_that_works_is_told_with_what_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "gpu_is_there", lambda: False)
    answer = '{"number": 0, "python": "3.9.19", "version": "0.3.3"}'
    python = python_that(tmp_path, f"echo '{answer}'")
    monkeypatch.setenv("LANGREARRANGE_HABITAT_PYTHON", python)
    row = rows(capsys)["habitat_sim"]
    assert row["status"] == "ok"
    assert row["detail"] == f"0.3.3, Python 3.9.19, draws with software OpenGL ({python})"


def test_a_gpu_without_opengl_is_told_as_software(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(places, "gpu_is_there", lambda: True)
    works = """echo '{"number": 0, "python": "3.11.2", "version": "0.3.3"}'"""
    python = python_that(tmp_path, f"test $3 = 0 && echo no EGL >&2 && exit 1; {works}")
    row = rows(capsys, "--habitat-python", python)["habitat_sim"]
    assert "draws with software OpenGL" in row["detail"]
    assert "GPU 0 cannot be used" in caplog.text
    assert "it last said: no EGL" in caplog.text


def test_data_and_flats_that_are_there_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = samples.write_data(tmp_path / "data")
    export_habitat(["flat_0_00"], data, [])
    monkeypatch.setenv(DATA_VARIABLE, str(data))
    found = rows(capsys, "--habitat-python", "none")
    assert found["Habitat data replica_cad_dataset"]["detail"].endswith("replica_cad, scenes: 1")
    assert found["Habitat data ycb"]["status"] == "ok"
    assert found["exported flats"]["detail"] == f"{data}, flats: 1"
    (data / "objects/ycb/configs").rename(data / "objects/ycb/else")
    row = rows(capsys, "--habitat-python", "none")["Habitat data ycb"]
    assert "incomplete: it lacks configs" in row["detail"]
    assert "--uids ycb" in row["next"]
