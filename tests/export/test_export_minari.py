"""Oracle demonstrations load in Minari and hold what the env shows."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from langrearrange.dataset import select
from langrearrange.errors import UsageError
from langrearrange.export.minari import MinariExporter
from langrearrange.generator import GeneratedSplit
from langrearrange.world import skill_index


@pytest.mark.parametrize("observation", ["state", "text"])
def test_demonstrations_load_in_minari(
    observation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import minari

    name = f"langrearrange/context-oracle-{observation}-v0"
    episodes = select(GeneratedSplit("context"), 3)
    exporter = MinariExporter(observation=observation)
    written = exporter.write([episodes], tmp_path)
    assert written.paths == (tmp_path / name,)
    assert written.summary.endswith(f"MINARI_DATASETS_PATH={tmp_path}, then load {name}")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    assert gym.spec("LangRearrange-v0").kwargs == {}, "the registry is everybody's"
    loaded = minari.load_dataset(name)
    assert loaded.total_episodes == 3
    for episode, played in zip(episodes, loaded.iterate_episodes(), strict=True):
        assert [skill_index(s) for s in episode.plan] == list(played.actions)
        assert bool(played.terminations[-1])
        assert not np.any(played.terminations[:-1])
        assert played.rewards[-1] == pytest.approx(9.99)
        assert len(played.observations["instruction"]) == len(episode.plan) + 1
        assert played.observations["instruction"][0] == episode.instruction
    with pytest.raises(UsageError, match="exists; choose another"):
        exporter.write([episodes], tmp_path)
    exporter.write([select(GeneratedSplit("context"), 1)], tmp_path, overwrite=True)
    assert minari.load_dataset(name).total_episodes == 1
    with pytest.raises(UsageError, match="nothing to write"):
        exporter.write([], tmp_path)
