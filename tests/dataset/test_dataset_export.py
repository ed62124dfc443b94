"""The parquet export holds every field of every episode."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from dataset_samples import sample_episode

from langrearrange.dataset import Episode, EpisodeList
from langrearrange.dataset.export_parquet import export_parquet
from langrearrange.errors import MissingExtraError, UsageError


def test_rows_are_the_episodes(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    source = EpisodeList([sample_episode(index) for index in range(5)])
    path = tmp_path / "deep" / "mine.parquet"
    assert export_parquet(source, path) == 5
    rows = parquet.read_table(path).to_pylist()
    assert [msgspec.convert(row, Episode) for row in rows] == list(source)
    assert list(rows[0]) == list(Episode.__struct_fields__)
    with pytest.raises(UsageError, match="--force"):
        export_parquet(source, path)
    assert export_parquet(source, path, overwrite=True) == 5
    assert [p.name for p in path.parent.iterdir()] == ["mine.parquet"]


def test_missing_extra_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'langrearrange\[export\]'"):
        export_parquet(EpisodeList([sample_episode()]), tmp_path / "x.parquet")
