"""The parquet export holds every field of every episode."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "dataset"))

from dataset_samples import sample_episode

from langrearrange.dataset import Episode, EpisodeList, select
from langrearrange.errors import MissingExtraError, UsageError
from langrearrange.export.parquet import ParquetExporter


def test_rows_are_the_episodes(tmp_path: Path) -> None:
    from pyarrow import parquet

    source = EpisodeList([sample_episode(index) for index in range(5)])
    path = tmp_path / "deep" / "mine.parquet"
    written = ParquetExporter().write([select(source)], path)
    assert written == ((path,), "5 episodes, one row each")
    rows = parquet.read_table(path).to_pylist()
    assert [msgspec.convert(row, Episode) for row in rows] == list(source)
    assert list(rows[0]) == list(Episode.__struct_fields__)
    with pytest.raises(UsageError, match="--force"):
        ParquetExporter().write([select(source)], path)
    ParquetExporter().write([select(source, 2), select(source)], path, overwrite=True)
    assert parquet.read_table(path).num_rows == 7
    assert [p.name for p in path.parent.iterdir()] == ["mine.parquet"]


def test_missing_extra_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'langrearrange\[export\]'"):
        ParquetExporter().write([select(EpisodeList([sample_episode()]))], tmp_path / "x.parquet")


@pytest.mark.slow
def test_hugging_face_datasets_loads_the_file(tmp_path: Path) -> None:
    """Outside the checkout, where our folder of that name does not shadow the library."""
    source = EpisodeList([sample_episode(index) for index in range(5)])
    ParquetExporter().write([select(source)], tmp_path / "x.parquet")
    code = (
        "import datasets, sys\n"
        "if not hasattr(datasets, 'load_dataset'): sys.exit(77)\n"
        "rows = datasets.load_dataset('parquet', data_files='x.parquet', cache_dir='.')['train']\n"
        "print(len(rows), rows[0]['instruction'], rows[0]['objects'][0]['category'])\n"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", code],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": "", "HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    if run.returncode == 77 or "No module named 'datasets'" in run.stderr:
        pytest.skip("the library `datasets` is not installed")
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "5 Put the apple on the sofa, 0. apple"
