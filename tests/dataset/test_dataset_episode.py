"""An episode survives the round trip to its canonical line, and nothing wrong gets through."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from dataset_samples import placement, sample_episode, with_object

from langrearrange.dataset import (
    Pose,
    Start,
    decode_episode,
    encode_episode,
    episode_problems,
    parse_episode_id,
)
from langrearrange.errors import DatasetError, EpisodeError


def test_line_begins_with_its_schema_version_and_holds_every_field() -> None:
    line = encode_episode(sample_episode())
    assert line.startswith(b'{"schema_version":1,"id":"train/000000","split":"train",')
    assert b"pose" not in line
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1


@given(st.text("abc \"\\/'{}~", min_size=1, max_size=256), st.integers(0, 999_999))
def test_round_trip_is_exact(instruction: str, index: int) -> None:
    episode = sample_episode(index, instruction=instruction)
    assert decode_episode(encode_episode(episode), "here") == episode


def test_explicit_pose_survives_the_round_trip() -> None:
    pose = Pose(position=(1, 2, 3), rotation=(1_000_000, 0, 0, 0))
    episode = with_object(sample_episode(), 0, pose=pose)
    assert decode_episode(encode_episode(episode), "here") == episode


def test_unknown_field_is_refused_with_its_place() -> None:
    line = encode_episode(sample_episode()).replace(b'"phrasing"', b'"frasing"')
    with pytest.raises(DatasetError, match=r"file, line 7: this line is not an episode .*frasing"):
        decode_episode(line, "file, line 7")


def test_newer_schema_is_refused_even_with_unknown_fields() -> None:
    line = encode_episode(sample_episode()).replace(
        b'"schema_version":1', b'"schema_version":2,"weather":"rain"'
    )
    with pytest.raises(DatasetError, match=r"schema version 2.*reads version 1.*pip install"):
        decode_episode(line, "file, line 7")


def pose(x: int = 0, w: int = 1_000_000) -> Pose:
    return Pose(position=(x, 0, 0), rotation=(w, 0, 0, 0))


OUTSIDE_THE_LIMITS: dict[str, dict[str, Any]] = {
    "printable ASCII": {"instruction": "caf\u00e9"},
    "1 to 256": {"instruction": ""},
    "257 characters": {"instruction": "x" * 257},
    "65 objects": {"objects": tuple(placement(f"cup_{i}", slot=i) for i in range(65))},
    "not an episode id": {"id": "train/17"},
    "not of split": {"split": "validation"},
    "occurs twice": {"objects": (placement(), placement(slot=1))},
    "as does": {"objects": (placement(), placement("cup_0"))},
    "slot -1; accepted: 0..9999": {"objects": (placement(slot=-1),)},
    "slot 10000; accepted": {"objects": (placement(slot=10_000),)},
    "impossible pose; accepted": {"objects": (placement(pose=pose(x=100_001)),)},
    "has an impossible pose": {"objects": (placement(pose=pose(w=0)),)},
    "start at 100001, 0": {"start": Start(x=100_001, y=0, yaw=0)},
    "unknown category 'aple'": {"objects": (placement("aple_0"),)},
    "unknown receptacle": {"objects": (placement(receptacle="roof"),)},
    "yaw 6284": {"objects": (placement(yaw=6284),)},
    "'open' names": {"open": ("window",)},
    "vocabulary order": {"open": ("left_drawer", "fridge")},
    "unknown skill": {"plan": ("nav(roof)",)},
}


@pytest.mark.parametrize("message", OUTSIDE_THE_LIMITS)
def test_loader_limits_name_the_place(message: str) -> None:
    episode = sample_episode(**OUTSIDE_THE_LIMITS[message])
    with pytest.raises(EpisodeError, match=rf"set.jsonl.gz, line 3: .*{message}"):
        decode_episode(encode_episode(episode), "set.jsonl.gz, line 3")


def test_valid_episode_has_no_problem() -> None:
    assert episode_problems(sample_episode()) == []


PLANTED: dict[str, dict[str, Any]] = {
    "format": {"open": ("window",)},
    "goal": {"goal": "(on_top ?x sofa)"},
    "solved_at_start": {"goal": "(exists (?x - ball) (on_top ?x sofa))"},
    "plan_length": {"plan": ()},
    "plan": {"plan": ("nav(sofa)", "pick(apple)", "nav(sofa)", "place(sofa)")},
    "subgoal": {"subgoals": ("held(aple)",)},
}


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_fault_is_found(kind: str) -> None:
    found = [name for name, _ in episode_problems(sample_episode(**PLANTED[kind]))]
    assert kind in found


def test_plan_that_stops_short_or_runs_on_is_found() -> None:
    plan = sample_episode().plan
    short = sample_episode(plan=plan[:-1], subgoals=("held(apple)",))
    long = sample_episode(plan=(*plan, "nav(sink)"))
    assert [kind for kind, _ in episode_problems(short)] == ["plan"]
    assert [kind for kind, _ in episode_problems(long)] == ["plan"]


def test_subgoals_out_of_order_or_true_at_the_start_are_found() -> None:
    swapped = sample_episode(subgoals=("delivered(apple,sofa,1)", "held(apple)"))
    already = sample_episode(subgoals=("opened(fridge)",))
    assert {kind for kind, _ in episode_problems(swapped)} == {"subgoal"}
    assert {kind for kind, _ in episode_problems(already)} == {"subgoal"}


def test_ids_parse_and_print() -> None:
    assert str(parse_episode_id("train/000017#2")) == "train/000017#2"
    assert parse_episode_id("train/000017").variant == 0
    for text in ("train/17", "train/000017#0", "train", "Train/000001", "train/000017#"):
        with pytest.raises(EpisodeError, match="ids look like"):
            parse_episode_id(text)


def test_records_are_immutable() -> None:
    episode = sample_episode()
    with pytest.raises(AttributeError):
        setattr(episode, "plan", ())  # noqa: B010  (types forbid it as well)
    assert msgspec.structs.replace(episode, plan=()).plan == ()
