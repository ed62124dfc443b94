"""`doctor` tells what works from what is missing and what is broken, with the next command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from langrearrange.cli import doctor
from langrearrange.cli.main import main
from langrearrange.habitat import diagnosis
from langrearrange.paths import datasets_path


@pytest.fixture(autouse=True)
def no_habitat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "habitat_rows", lambda python, data: [])


def rows_of(capsys: pytest.CaptureFixture[str], code: int) -> dict[str, dict[str, str]]:
    assert main(["doctor", "--json"]) == code
    return {row.pop("item"): row for row in json.loads(capsys.readouterr().out)}


def test_a_whole_installation_has_nothing_broken(capsys: pytest.CaptureFixture[str]) -> None:
    rows = rows_of(capsys, 0)
    assert {row["status"] for row in rows.values()} <= {"ok", "optional"}
    assert rows["templates"]["detail"].endswith(" files")
    shipped = {path.parent.name for path in datasets_path().glob("*/manifest.json")}
    assert {name.removeprefix("data set ") for name in rows if name.startswith("data set")} == (
        shipped
    )
    assert rows["data set train"]["detail"].endswith(", computed on demand")
    assert "computed" not in rows["data set context"]["detail"]


def test_a_missing_package_is_broken_and_a_missing_extra_is_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("numpy", "no-such-package"))
    monkeypatch.setattr(doctor, "EXTRAS", {"magic": ("no_such_module", "magic tricks")})
    rows = rows_of(capsys, 1)
    assert rows["no-such-package"] == {
        "status": "broken", "detail": "not installed", "next": "pip install no-such-package",
    }  # fmt: skip
    assert rows["extra [magic]"]["status"] == "optional"
    assert rows["extra [magic]"]["next"] == "pip install 'langrearrange[magic]'"


@pytest.mark.parametrize("content", ["{", "[]", '{"schema_version": 3}'])
def test_damaged_data_is_broken(
    content: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "manifest.json").write_text(content)
    monkeypatch.setenv("LANGREARRANGE_DATASETS", str(tmp_path))
    monkeypatch.setenv("LANGREARRANGE_TEMPLATES", str(tmp_path))
    rows = rows_of(capsys, 1)
    assert rows["data set context"]["status"] == rows["templates"]["status"] == "broken"
    assert "manifest.json" in rows["data set context"]["detail"]
    assert str(tmp_path) in rows["templates"]["detail"]
    monkeypatch.setenv("LANGREARRANGE_DATASETS", str(tmp_path / "nowhere"))
    assert rows_of(capsys, 1)["data sets"]["next"] == "pip install ."


def test_the_table_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("item", "status", "numpy", "renderer", "kernels"))
    assert "[green]" not in shown
