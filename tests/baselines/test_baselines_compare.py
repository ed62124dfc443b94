"""Two policies on fresh episodes: the same ones for both, of a key, judged as `compare` judges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langrearrange_baselines.compare import CompareArgs, fresh_split, run
from langrearrange_baselines.engine.config import preset
from langrearrange_baselines.train import train

from langrearrange.errors import UsageError
from langrearrange.leaderboard import read_trace

KEY = "0123456789abcdef"


def trained(out: Path, **changes: Any) -> Path:
    small = {"split": "train_mini", "num_envs": 4, "num_steps": 4, "minibatches": 2}
    train(preset("small", out=out, **(small | {"num_updates": 1} | changes)))
    return out


def test_both_arms_play_the_same_fresh_episodes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = trained(tmp_path / "first"), trained(tmp_path / "second", seed=1)
    options: dict[str, Any] = {"out": tmp_path / "c", "fresh": KEY, "num_episodes": 18}
    run(CompareArgs(runs=(first, second), json=True, **options))
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["measure"]) for row in rows] == [
        ("fresh_new_scenes", "success"),
        ("fresh_new_scenes", "efficiency"),
    ]
    assert all(0 <= row["detectable"] <= 1 and 0 <= row["p_holm"] <= 1 for row in rows)
    traces = [read_trace(tmp_path / "c" / f"{side}.jsonl.gz") for side in "ab"]
    ids = [[episode.id for episode in trace.episodes] for trace in traces]
    assert sorted(ids[0]) == sorted(ids[1])
    assert len(ids[0]) == 18
    run(CompareArgs(runs=(first, second), **options))  # the traces are there: scored again
    printed = capsys.readouterr().out
    assert "detectable" in printed
    assert "a: first" in " ".join(printed.split())
    assert "perception of a: state; perception of b: state" in " ".join(printed.split())
    with pytest.raises(UsageError, match="of another comparison; choose another --out"):
        run(CompareArgs(runs=(second, first), **options))


def test_another_key_draws_other_episodes() -> None:
    one, two = (fresh_split("new_scenes", key, 9) for key in (KEY, KEY[::-1]))
    assert [one.get(i).objects for i in range(9)] != [two.get(i).objects for i in range(9)]
    assert len(one) == 9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"runs": (Path("a"), Path("a"))}, "the two runs are the same folder"),
        ({"splits": ("nothing",)}, "unknown split 'nothing'"),
        ({"fresh": ""}, "--fresh is empty"),
        ({"num_episodes": 0}, "num_episodes=0; accepted: 1 or more"),
    ],
)
def test_a_comparison_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"runs": (Path("a"), Path("b")), "out": Path("c"), "fresh": KEY}
    with pytest.raises(UsageError, match=message):
        CompareArgs(**(given | changes))


def test_a_short_key_is_refused() -> None:
    with pytest.raises(UsageError, match="the key of a sealed set has 3 characters"):
        fresh_split("context", "abc", 5)
