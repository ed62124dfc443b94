"""Saved moments are taken back only if play leads there; closed envs, seeds and bad episodes."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError

from langrearrange.dataset import open_dataset, write_dataset
from langrearrange.env import LangRearrangeEnv, LangRearrangeHardEnv, LangRearrangeVectorEnv
from langrearrange.errors import EpisodeError, GoalError, LangRearrangeError, UsageError
from langrearrange.testing import toy_episodes
from langrearrange.world import skill_index

TOY = toy_episodes()
Change = Callable[[dict[str, Any]], Any]


def make(**kwargs: Any) -> LangRearrangeEnv:
    return LangRearrangeEnv(**{"episodes": TOY, "observation": "state", **kwargs})


def played(env: LangRearrangeEnv, count: int) -> dict[str, Any]:
    """Return the moment after the first skills of the first episode's plan."""
    env.reset(seed=0)
    for skill in env.episode.plan[:count]:
        env.step(skill_index(skill))
    saved: dict[str, Any] = json.loads(json.dumps(env.save_state()))
    return saved


def state(**fields: Any) -> Change:
    return lambda saved: saved["progress"]["state"].update(fields)


def progress(**fields: Any) -> Change:
    return lambda saved: saved["progress"].update(fields)


def order(**fields: Any) -> Change:
    return lambda saved: saved["order"].update(fields)


IMPOSSIBLE: dict[str, Change] = {
    "steps that buy steps": progress(steps=-5),
    "more steps than there are": progress(steps=33),
    "steps as a string": progress(steps="2"),
    "steps as a truth": progress(steps=True),
    "no steps but a changed world": progress(steps=0),
    "more changes than steps": progress(steps=1),
    "no action": progress(action=-1),
    "an action that does not exist": progress(action=71),
    "the hard env's action": progress(action=70),
    "another object in the hand": progress(action=17),
    "a walk to where the robot is not": progress(action=3),
    "a hand that was full before the pick": progress(held_before=1),
    "success as a string": progress(success="x"),
    "success out of nothing": progress(success=True, terminated=True),
    "an end out of nothing": progress(terminated=True),
    "a cut out of nothing": progress(truncated=True),
    "an outcome that does not exist": progress(outcome="great"),
    "the outcome of the start": progress(outcome="none"),
    "subgoals that do not exist": progress(reached=9999),
    "facts that do not exist": progress(holding=1 << 70),
    "a fact both reached and to come": progress(reached=1, holding=1),
    "a field too many": progress(x=1),
    "receptacles out of range": state(receptacles=[99] * 9),
    "other things than there are": state(receptacles=[0] * 9, slots=list(range(9))),
    "fewer slots than things": state(slots=[]),
    "a thing held that is not there": state(held=60),
    "a thing held and placed": state(held=1),
    "nothing held, one thing in the hand": state(held=-1),
    "a place beyond the last": state(place=17),
    "the start pose after a walk": state(place=16),
    "doors that do not exist": state(open_mask=32),
    "doors that nobody opened": state(open_mask=21),
    "a state that is a list": progress(state=[]),
    "a seed below 0": order(seed=-1),
    "a seed of a million digits": order(seed=1 << 9999),
    "a cursor that is text": order(cursor="1"),
    "draws of no template": order(drawn={"nothing": 1}),
    "rules left out": lambda saved: saved["rules"].clear(),
    "a rule too many": lambda saved: saved["rules"].update(easy=True),
    "an id that is none": lambda saved: saved.update(episode_id=5),
    "an episode that is none": lambda saved: saved.update(episode_id="toy/999999"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_moment_that_no_play_leads_to_is_refused_and_changes_nothing(name: str) -> None:
    env = make()
    saved = played(env, 2)
    assert env.world.held >= 0
    wrong = copy.deepcopy(saved)
    IMPOSSIBLE[name](wrong)
    assert wrong != saved
    with pytest.raises((UsageError, LangRearrangeError)):
        env.restore_state(wrong)
    assert json.loads(json.dumps(env.save_state())) == saved
    rows = LangRearrangeVectorEnv(num_envs=2, episodes=TOY, observation="state")
    rows.reset(seed=0)
    kept = rows.save_state()
    pair = {"envs": [saved, wrong], "ended": [False] * 2, "exhausted": [False] * 2}
    with pytest.raises(LangRearrangeError):
        rows.restore_state(pair)
    assert rows.save_state() == kept
    rows.restore_state(pair | {"envs": [saved, saved]})


@pytest.mark.parametrize(
    "flags",
    [{"ended": [1, 0]}, {"ended": [True]}, {"exhausted": None}, {"ended": [True, False]}],
)
def test_flags_of_saved_envs_are_as_many_truths_that_fit(flags: dict[str, Any]) -> None:
    rows = LangRearrangeVectorEnv(num_envs=2, episodes=TOY, observation="state")
    rows.reset(seed=0)
    with pytest.raises(UsageError, match="the saved '"):
        rows.restore_state(rows.save_state() | flags)


@pytest.mark.parametrize("semantics", ["paper", "release"])
@pytest.mark.parametrize("kind", [LangRearrangeEnv, LangRearrangeHardEnv])
@pytest.mark.parametrize("sampling", ["weighted", "uniform", "sequential"])
def test_every_moment_of_play_is_taken_back(
    kind: type[LangRearrangeEnv], semantics: str, sampling: str
) -> None:
    kwargs: dict[str, Any] = {"semantics": semantics, "sampling": sampling, "reward": "release"}
    env, other = (kind(episodes=TOY, observation="state", horizon=9, **kwargs) for _ in range(2))
    rng = np.random.default_rng(5)
    for number in range(30):
        env.reset(seed=7 if number == 0 else None)
        plan = [skill_index(skill) for skill in env.episode.plan] + [70] * env.hard
        while not env.task.over:
            saved = json.loads(json.dumps(env.save_state()))
            other.restore_state(saved)
            assert other.save_state() == env.save_state()
            follow = rng.random() < 0.8 and env.task.steps < len(plan)
            env.step(plan[env.task.steps] if follow else int(rng.integers(0, 70)))
        other.restore_state(json.loads(json.dumps(env.save_state())))


@pytest.mark.parametrize("observation", ["rgb", "state", "text"])
def test_closed_envs_of_every_kind_say_the_same(observation: str) -> None:
    said = set()
    for render_mode in (None, "ansi"):
        kwargs: dict[str, Any] = {"episodes": TOY, "observation": observation, "image_size": 16}
        single = LangRearrangeEnv(**kwargs, render_mode=render_mode)
        rows = LangRearrangeVectorEnv(num_envs=2, **kwargs, render_mode=render_mode)
        pairs: list[tuple[Any, Any]] = [(single, 0), (rows, [0, 0])]
        for env, action in pairs:
            env.reset(seed=0)
            saved = env.save_state()
            env.close()
            env.close()
            calls = [
                env.reset, env.save_state, partial(env.restore_state, saved),
                partial(env.step, action), env.render,
            ]  # fmt: skip
            for call in calls[: None if render_mode else -1]:
                with pytest.raises(ClosedEnvironmentError) as caught:
                    call()
                said.add(str(caught.value))
    assert said == {"this env is closed; make a new one with gym.make or gym.make_vec"}


@pytest.mark.parametrize("seed", [True, -1, 1.0, "1", "\uff11"])
def test_what_only_looks_like_a_seed_is_refused(seed: Any) -> None:
    rows = LangRearrangeVectorEnv(num_envs=2, episodes=TOY, observation="state")
    resets = (make().reset, rows.reset, lambda seed: rows.reset(seed=[seed, 0]))
    for reset in resets:
        with pytest.raises(UsageError, match=r"seed=.*accepted: an int of at least 0, or None"):
            reset(seed=seed)
    make().reset(seed=np.int64(3))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "episode_id",
    ["toy/00000\uff11", "toy/000001#\uff11", "toy/000001#1000000", f"toy/{'9' * 5000}"],
)
def test_ids_are_ascii_and_have_one_limit_for_variants(episode_id: str) -> None:
    with pytest.raises(EpisodeError, match="up to #999999"):
        make().reset(options={"episode_id": episode_id})
    for refused in (10**6, 10**20, "1", True):
        with pytest.raises(UsageError, match=r"variants=.*0\.\.999999"):
            make(variants=refused)


FAULTS: dict[str, Any] = {
    "goal": ("(on_top ?x sofa)", GoalError),
    "subgoals": (("delivered(apple,sofa," + "9" * 5000 + ")",), EpisodeError),
    "house": ("flat_9_99", LangRearrangeError),
}


@pytest.mark.parametrize(("field", "kind"), [*itertools.product(FAULTS, ("single", "vector"))])
def test_what_is_wrong_inside_an_episode_names_file_line_and_id(
    tmp_path: Path, field: str, kind: str
) -> None:
    value, error = FAULTS[field]
    bad = msgspec.structs.replace(TOY[1], **{field: value})
    write_dataset(tmp_path / "set", [TOY[0], bad, *TOY[2:]], "mine")
    position = open_dataset(tmp_path / "set").index_of(bad.id)
    place = rf"mine\.jsonl\.gz, line {position + 1} \({bad.id}\): "
    kwargs: dict[str, Any] = {"observation": "rgb", "image_size": 16}
    env = LangRearrangeEnv if kind == "single" else LangRearrangeVectorEnv
    from_file = env(episodes=tmp_path / "set", **kwargs)
    with pytest.raises(error, match=place):
        from_file.reset(options={"episode_id": bad.id})
    with pytest.raises(error, match=rf"^{bad.id}: "):
        env(episodes=[bad], **kwargs).reset()
