"""What the agent is told: the text by its golden file, the state against its definition."""

from __future__ import annotations

import pickle
import runpy
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.error import CustomSpaceError
from gymnasium.vector.utils import create_shared_memory
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.dataset import Episode
from langrearrange.env import (
    MODALITIES,
    RANKED_MODALITIES,
    STATE_SIZES,
    EnvConfig,
    InstructionText,
    Observations,
    Observer,
    Rules,
    Task,
    is_modality,
    observer_factory,
    text,
)
from langrearrange.env.spaces import MAX_TEXT
from langrearrange.errors import UsageError
from langrearrange.testing import toy_episodes
from langrearrange.world import SKILLS, WorldState
from langrearrange.world.vocabulary import (
    CATEGORIES,
    NAV_TARGETS,
    OPENABLES,
    RECEPTACLES,
    START,
    spot_of,
)

GOLDEN = Path(__file__).parents[1] / "golden"
EPISODES = toy_episodes()
STATE = Observations(EnvConfig(observation="state"))


@pytest.mark.parametrize(
    ("script", "maker"),
    [("make_text_observation.py", "golden_text"), ("make_text_transcript.py", "transcript")],
)
def test_the_text_observation_is_worded_as_frozen(script: str, maker: str) -> None:
    made = runpy.run_path(str(GOLDEN / script))
    assert made[maker]() == made["PATH"].read_text(encoding="ascii")


@given(st.sampled_from(EPISODES), st.lists(st.integers(0, 69), max_size=31))
def test_the_state_is_perfect_perception_from_where_the_robot_stands(
    episode: Episode, actions: list[Any]
) -> None:
    task = Task(episode)
    for action in actions:
        if not task.over:
            task.step(action)
    seen = STATE.observe(0, task)
    state: WorldState = task.state
    assert STATE.space.contains(seen)
    assert seen["instruction"] == episode.instruction
    assert np.flatnonzero(seen["place"]) == state.place
    spot = spot_of(NAV_TARGETS[state.place]) if state.place != START else ""
    held = task.layout.categories[state.held] if state.held >= 0 else len(CATEGORIES)
    assert np.flatnonzero(seen["held"]) == held
    opened = {name for i, name in enumerate(OPENABLES) if state.open_mask >> i & 1}
    shut = spot in OPENABLES and spot not in opened
    here = [
        episode.objects[i].category
        for i, where in enumerate(state.receptacles)
        if where < len(RECEPTACLES) and RECEPTACLES[where] == spot and not shut
    ]
    assert {c: int(n) for c, n in zip(CATEGORIES, seen["visible"], strict=True) if n} == {
        c: here.count(c) for c in here
    }
    for name, value in zip(OPENABLES, seen["openables"], strict=True):
        assert value == (0 if name != spot else 1 if name in opened else -1)
    assert list(seen["outcome"]).count(1) == 1


@given(st.lists(st.tuples(st.sampled_from(EPISODES), st.lists(st.integers(0, 69), max_size=9))))
def test_a_batch_of_states_is_the_single_ones_stacked(
    rows: list[tuple[Episode, list[int]]],
) -> None:
    tasks = [Task(episode) for episode, _ in rows] or [Task(EPISODES[0])]
    for task, (_, actions) in zip(tasks, rows, strict=False):
        for action in actions:
            if not task.over:
                task.step(action)
    observer = Observations(EnvConfig(observation="state", extras=("action_mask",)))
    batch = observer.observe_batch(tasks)
    single = [observer.observe(i, task) for i, task in enumerate(tasks)]
    assert batch["instruction"] == tuple(one["instruction"] for one in single)
    for name in (*STATE_SIZES, "action_mask"):
        stacked = np.stack([one[name] for one in single])
        assert batch[name].dtype == stacked.dtype
        assert batch[name].flags.c_contiguous
        assert batch[name].flags.writeable
        np.testing.assert_array_equal(batch[name], stacked)


def test_the_longest_text_fits_its_space() -> None:
    """All 33 categories at one place, the longest names, a sentence of 256 characters."""
    longest = len(text(Task(EPISODES[0]))) + 256 + sum(len(c) + 8 for c in CATEGORIES) + 200
    assert longest < MAX_TEXT


@pytest.mark.parametrize("hard", [False, True])
def test_the_first_text_names_every_action_and_the_task(hard: bool) -> None:
    task = Task(EPISODES[0], Rules(hard=hard, horizon=7))
    words = text(task)
    for skill in SKILLS:
        verb, _, noun = skill.name.rpartition(" the ")
        (line,) = [line for line in words.split("\n") if line.startswith(f"- {verb} the X: ")]
        assert noun in line.split(": ")[1].split(", ")
    assert ("\n- stop\n" in words) == hard
    assert f"\nTask: {task.episode.instruction}\n" in words
    assert "You have 7 steps." in words


def test_the_instruction_is_printable_ascii_and_refuses_shared_memory() -> None:
    space = InstructionText()
    assert all(chr(code) in space for code in range(0x20, 0x7F))
    for wrong in ("", "x" * 257, "a\nb", "caf\u00e9", "\t", 3, None):
        assert wrong not in space
    assert space.sample() in space
    assert pickle.loads(pickle.dumps(space)) == space  # noqa: S301
    with pytest.raises(CustomSpaceError, match="shared_memory=False"):
        create_shared_memory(gym.spaces.Dict({"instruction": space}))


def test_feedback_is_a_modality_like_others_and_its_argument_another_way_to_name_it() -> None:
    by_name = Observations(EnvConfig(observation="rgb+feedback", image_size=32))
    by_argument = Observations(EnvConfig(feedback=True, image_size=32))
    assert by_name.modality == by_argument.modality == "rgb+feedback"
    assert by_name.space == by_argument.space
    assert set(MODALITIES) == RANKED_MODALITIES == {"rgb", "rgb+feedback", "state", "text"}


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_modality_is_an_observer_whose_spaces_are_its_own(modality: str) -> None:
    config = EnvConfig(observation=modality, image_size=32, num_envs=2)
    first, second = (observer_factory(modality)(config) for _ in range(2))
    assert isinstance(first, Observer)
    assert all(first.fields[name] is not second.fields[name] for name in first.fields)
    task = Task(EPISODES[0])
    first.begin(1, task)
    assert spaces.Dict(dict(first.fields)).contains(first.observe(1, task))
    first.close()
    first.close()


@pytest.mark.parametrize("modality", ["sonar", "", None, 3, ["rgb"]])
def test_what_is_no_modality_is_refused_with_those_that_are(modality: Any) -> None:
    with pytest.raises(
        UsageError, match=r"'rgb', 'rgb\+feedback', 'state', 'text', 'module:factory'"
    ):
        EnvConfig(observation=modality)
    assert not is_modality(modality)


def test_agents_may_ask_for_registered_names_and_for_factories_by_name() -> None:
    assert all(map(is_modality, MODALITIES))
    assert is_modality("my_package:Map")
    assert not is_modality(no_observer), "text only: it enters headers of traces"


def no_observer(config: EnvConfig) -> Any:
    return {}


def test_a_factory_that_makes_no_observer_is_refused() -> None:
    with pytest.raises(
        UsageError, match="made a dict, which is not an observer: it needs symbolic"
    ):
        Observations(EnvConfig(observation=no_observer))
    with pytest.raises(UsageError, match="importing 'no_such_module' failed"):
        EnvConfig(observation="no_such_module:Map")
