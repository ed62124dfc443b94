"""Long jobs say how far they are: every episode that is worked on counts once."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from noted_progress import NotedProgress
from official_samples import Builder

from langrearrange.dataset import EpisodeList
from langrearrange.generator import check, check_dataset, load_spec, make_episode, official
from langrearrange.generator.official import import_official


def test_an_import_counts_the_episodes_that_it_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = NotedProgress()
    monkeypatch.setattr(official, "progress", noted)
    path = Builder().add().add("x" * 300).add().write(tmp_path)
    report = import_official(path).report
    assert (report.num_episodes, report.num_written) == (3, 2)
    assert noted.jobs == [("import official_context", 2)]
    assert noted.advanced == [(1, "")] * 2


def test_a_check_counts_stretches_of_512_and_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = NotedProgress()
    monkeypatch.setattr(check, "progress", noted)
    monkeypatch.setattr(check._Checker, "findings", lambda self, start, stop: [])
    episode = make_episode(load_spec("train"), 0)
    source = EpisodeList([replace(episode, id=f"train/{i:06d}") for i in range(1025)])
    check_dataset(source)
    assert noted.jobs == [(f"check {source.split}", 1025)]
    assert noted.advanced == [(512, ""), (512, ""), (1, "")]
