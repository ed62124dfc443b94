"""What training on did to a policy: paired over fresh episodes, pooled over runs."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from langrearrange_baselines.study.lift import MEASURES, LiftArgs, difference, run, undone
from test_baselines_compare import KEY, trained

from langrearrange.errors import UsageError
from langrearrange.world import WorldState


def walked(*receptacles: int) -> Any:
    """An episode of one object, which was on these receptacles (11: in the hand)."""
    states = [WorldState(0, 0 if r == 11 else -1, (r,), (), 0) for r in receptacles]
    return SimpleNamespace(states=tuple(states))


@pytest.mark.parametrize(
    ("receptacles", "count"),
    [
        ((3,), 0),
        ((3, 3, 11, 11, 4), 0),  # standing still is no undoing
        ((3, 11, 3), 1),
        ((3, 11, 4, 11, 4, 11), 3),
    ],
)
def test_loops_are_skills_that_bring_back_an_arrangement(
    receptacles: tuple[int, ...], count: int
) -> None:
    assert undone(walked(*receptacles)) == count


def scored(successes: list[int]) -> Any:
    episodes = [
        SimpleNamespace(
            id=str(i),
            split="fresh_new_scenes",
            template="swap" if i % 2 else "put",
            success=bool(s),
        )
        for i, s in enumerate(successes)
    ]
    return SimpleNamespace(episodes=episodes)


def test_differences_are_paired_and_pooled_over_runs() -> None:
    before = scored([0, 0, 1, 1] * 10)
    runs = [scored([1, 0, 1, 1] * 10), scored([1, 1, 1, 1] * 10)]
    found = difference([before], runs, MEASURES["success"])
    assert (found.mean, found.difference) == (0.875, 0.375)
    assert found.low < 0.375 < found.high
    assert found.p_value < 1e-5
    assert difference([before], runs, template="swap").difference == 0.25
    same = difference([before], [before])
    assert (same.difference, same.p_value) == (0.0, 1.0)
    shuffled = scored([1, 0, 1, 1] * 10)
    np.random.default_rng(0).shuffle(shuffled.episodes)
    assert difference([before], [shuffled]).difference == 0.25


def test_the_command_plays_every_arm_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [trained(tmp_path / str(seed), seed=seed) for seed in range(3)]
    options: dict[str, Any] = {"out": tmp_path / "l", "fresh": KEY, "num_episodes": 18}
    arms: dict[str, Any] = {"before": paths[0], "after": tuple(paths[1:])}
    run(LiftArgs(json=True, **arms, **options))
    rows = json.loads(capsys.readouterr().out)
    assert [row["arm"] for row in rows[:4]] == ["before", "after 0", "after 1", "after"]
    assert rows[3]["mean"] == pytest.approx((rows[1]["mean"] + rows[2]["mean"]) / 2)
    assert len({path.name for path in (tmp_path / "l").iterdir()}) == 3
    run(LiftArgs(**arms, **options))
    assert "undo loops swap" in capsys.readouterr().out


def test_one_split_at_a_time() -> None:
    with pytest.raises(UsageError, match="exactly one split"):
        LiftArgs(out=Path("l"), fresh=KEY, before=Path("a"), after=(Path("b"),), splits=())
