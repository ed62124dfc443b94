"""The exporter of docs/datasets.md works as printed: by `module:Class`, and under a name."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from langrearrange.cli.main import main
from langrearrange.dataset import select
from langrearrange.export import FORMATS, exporter_type
from langrearrange.generator import open_split

DOCS = Path(__file__).resolve().parents[2] / "docs" / "datasets.md"
SOURCE = next(
    code for code in re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.S) if "Csv" in code
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory which holds the exporter's module."""
    (tmp_path / "csv_exporter.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_implementation_is_short() -> None:
    assert len(SOURCE.splitlines()) < 60


def test_a_class_of_your_own_is_a_format_with_its_options(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", "context", "--format", "csv_exporter:CsvExporter", "--num-episodes", "5"]
    assert main([*command, "--delimiter", ";", "--out", "mine.csv"]) == 0
    printed, told = capsys.readouterr()
    assert (printed, told) == ("mine.csv\n", "5 lines\n")
    with Path("mine.csv").open(newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    episodes = list(select(open_split("context"), 5))
    assert rows == [[e.id, e.instruction, e.goal] for e in episodes]
    assert sorted(e.id for e in episodes) == [f"context/{index:06d}" for index in range(5)]
    assert main([*command, "--out", "mine.csv"]) == 2
    assert main([*command, "--out", "mine.csv", "--force"]) == 0


def test_a_row_in_the_table_gives_it_a_name_and_a_line_of_help(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exporter = exporter_type("csv_exporter:CsvExporter")
    monkeypatch.setitem(FORMATS, "csv", exporter)
    assert main(["export", "train/000017#2", "--format=csv", "--out", "one.csv"]) == 0
    assert Path("one.csv").read_text().startswith("train/000017#2,")
    with pytest.raises(SystemExit) as left:
        main(["export", "--format", "csv", "--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert re.search(r"csv +Id, sentence and goal", shown)
    assert "--delimiter" in shown
