"""`langrearrange export` writes what other libraries read."""

from __future__ import annotations

from pathlib import Path

import pytest

from langrearrange.cli.main import main


def test_parquet_file_is_written_and_not_replaced_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pyarrow import parquet

    path = tmp_path / "out" / "context.parquet"
    assert main(["export", "context", "--out", str(path)]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    assert parquet.read_table(path).num_rows == 100
    assert main(["export", "context", "--out", str(path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["export", "context", "--out", str(path), "--force"]) == 0


def test_minari_data_set_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import minari

    command = ["export", "train_mini", "--format", "minari", "--num-episodes", "4"]
    monkeypatch.chdir(tmp_path.parent)
    assert main([*command, "--out", tmp_path.name]) == 0
    assert "load langrearrange/train-mini-oracle-state-v0" in capsys.readouterr().err
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    assert minari.load_dataset("langrearrange/train-mini-oracle-state-v0").total_episodes == 4


def test_unknown_source_is_wrong_use(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["export", "trian", "--out", str(tmp_path / "x")]) == 2
    assert "neither a split nor" in capsys.readouterr().err
