"""Oracle demonstrations load in Minari and hold what the env shows."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from langrearrange.agents.demonstrations import export_minari
from langrearrange.errors import UsageError
from langrearrange.generator import GeneratedSplit
from langrearrange.world import skill_index


@pytest.mark.parametrize("observation", ["state", "text"])
def test_demonstrations_load_in_minari(
    observation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import minari

    split = GeneratedSplit("context")
    episodes = [split.get(position) for position in range(3)]
    export_minari(episodes, "rearrange/oracle-v0", tmp_path, observation=observation)  # type: ignore[arg-type]
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    assert gym.spec("LangRearrange-v0").kwargs == {}, "the registry is everybody's"
    loaded = minari.load_dataset("rearrange/oracle-v0")
    assert loaded.total_episodes == 3
    for episode, played in zip(episodes, loaded.iterate_episodes(), strict=True):
        assert [skill_index(s) for s in episode.plan] == list(played.actions)
        assert bool(played.terminations[-1])
        assert not np.any(played.terminations[:-1])
        assert played.rewards[-1] == pytest.approx(9.99)
        assert len(played.observations["instruction"]) == len(episode.plan) + 1
        assert played.observations["instruction"][0] == episode.instruction
    with pytest.raises(UsageError, match="exists; choose another name"):
        export_minari(episodes, "rearrange/oracle-v0", tmp_path)
    with pytest.raises(UsageError, match="at least one"):
        export_minari([], "rearrange/empty-v0", tmp_path)
