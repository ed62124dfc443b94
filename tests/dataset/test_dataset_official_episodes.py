"""A released record becomes an episode of ours: names, poses, goals, wording; or says why not."""

from __future__ import annotations

import math
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from official_samples import FRIDGE_MARKER, SINK, SOFA, TABLE, Builder, goal, take_off, transform

from langrearrange.dataset import check_episode
from langrearrange.dataset.official import open_official, phrasings, split_of, translate, wording
from langrearrange.dataset.official.goals import goal_text
from langrearrange.dataset.official.names import CATEGORY_OF_ASSET, OPENABLE_OF, RECEPTACLE_OF
from langrearrange.dataset.official.translate import quaternion
from langrearrange.errors import DatasetError, EpisodeError
from langrearrange.world.goals import parse_goal
from langrearrange.world.vocabulary import CATEGORIES, OPENABLES, RECEPTACLES


def read(folder: Path, builder: Builder, number: int = 0) -> Any:
    file = open_official(builder.write(folder))
    return translate(file.episode(number), f"official_context/{number:06d}")


def test_the_names_cover_the_vocabulary_once() -> None:
    assert len(CATEGORY_OF_ASSET) == 81
    assert set(CATEGORY_OF_ASSET.values()) == set(CATEGORIES)
    assert sorted(RECEPTACLE_OF.values()) == sorted(RECEPTACLES)
    assert sorted(OPENABLE_OF.values()) == sorted(OPENABLES)
    several = Counter(CATEGORY_OF_ASSET.values())
    assert (several["cup"], several["lego"], several["bowl"], several["pear"]) == (14, 7, 6, 1)


def test_an_episode_keeps_text_goal_scene_and_things(tmp_path: Path) -> None:
    episode = read(tmp_path, Builder().add())
    check_episode(episode, "it")
    assert episode.instruction == "Bring me a pear at the black table, would you?"
    assert episode.goal == "(exists (?x - pear) (and (on_top ?x black_table) (hand_free)))"
    assert episode.house == "official_v3_sc9_staging_07"
    assert episode.template == "0123abcd"
    assert (episode.plan, episode.subgoals, episode.open) == ((), (), ())
    things = [(o.id, o.model, o.receptacle, o.slot) for o in episode.objects]
    assert things == [
        ("apple_0", "013_apple", "black_table", 0),
        ("apple_1", "013_apple", "sink", 0),
        ("pear_0", "016_pear", "sofa", 0),
    ], "in the release's order of registration, by asset, which breaks ties in a pick"


def test_things_on_one_receptacle_get_slots_of_their_own(tmp_path: Path) -> None:
    things = (("016_pear", SOFA), ("013_apple", SOFA), ("013_apple", SOFA))
    episode = read(tmp_path, Builder().add(things=things))
    assert [(o.receptacle, o.slot) for o in episode.objects] == [("sofa", i) for i in range(3)]


def test_poses_turn_from_y_up_to_z_up(tmp_path: Path) -> None:
    poses = (transform(1.2345, 0.5, 2.0, yaw=math.pi / 2),)
    episode = read(tmp_path, Builder().add(things=(("016_pear", SOFA),), poses=poses))
    (thing,) = episode.objects
    assert thing.pose.position == (1234, -2000, 500) or thing.pose.position == (1235, -2000, 500)
    assert thing.pose.rotation == (707107, 0, 0, 707107), "a yaw about y is one about z"
    assert thing.yaw == 1571


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_quaternions_are_those_of_the_rotation(q: list[float]) -> None:
    w, x, y, z = np.array(q) / np.linalg.norm(q)
    turn = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    found = np.array(quaternion(turn)) / 1e6
    assert found[0] >= 0
    assert abs(abs(found @ (w, x, y, z)) - 1) < 1e-5


def test_the_start_predicates_open_what_they_name(tmp_path: Path) -> None:
    opened = Builder().add(start_preds=[f"opened_fridge({FRIDGE_MARKER})"])
    assert read(tmp_path, opened).open == ("fridge",)
    closed = Builder().add(start_preds=[f"closed_fridge({FRIDGE_MARKER})"])
    assert read(tmp_path, closed).open == ()
    drawers = Builder().add(
        start_preds=["opened_cab(cab_push_point_5)", "opened_cab(cab_push_point_7)"]
    )
    assert read(tmp_path, drawers).open == ("left_drawer", "right_drawer")


@pytest.mark.parametrize(
    ("stored", "ours"),
    [
        (goal("pear", SOFA), "(exists (?x - pear) (and (on_top ?x sofa) (hand_free)))"),
        (goal("cup", SINK, "FORALL"), "(forall (?x - cup) (and (on_top ?x sink) (hand_free)))"),
        (
            goal("toy airplane", SOFA, connective="OR"),
            "(exists (?x - toy_airplane) (or (on_top ?x sofa) (hand_free)))",
        ),
        (
            goal("rubriks cube", SOFA, connective="NOR"),
            "(exists (?x - rubiks_cube) (not (or (on_top ?x sofa) (hand_free))))",
        ),
        (
            take_off("pear", SOFA),
            "(and (hand_free) (exists (?x - pear) (not (on_top ?x sofa))))",
        ),
        ({"expr_type": "AND", "sub_exprs": [f"closed_fridge({FRIDGE_MARKER})"]}, "(closed fridge)"),
        (
            {"expr_type": "AND", "sub_exprs": ["opened_cab(cab_push_point_6)"]},
            "(open middle_drawer)",
        ),
        ({"expr_type": "AND", "sub_exprs": [f"robot_at({SINK})"]}, "(robot_at sink)"),
        (
            {
                "expr_type": "AND",
                "quantifier": "EXISTS",
                "inputs": [{"name": "X", "expr_type": "lid"}],
                "sub_exprs": ["robot_at(X)"],
            },
            "(exists (?x - lid) (near ?x))",
        ),
    ],
)  # fmt: skip
def test_goals_are_translated_as_the_release_expands_them(
    stored: dict[str, Any], ours: str
) -> None:
    assert goal_text(stored) == ours
    parse_goal(ours)


def nested(depth: int) -> Any:
    expression: Any = "not_holding()"
    for _ in range(depth):
        expression = {"expr_type": "AND", "sub_exprs": [expression]}
    return expression


def doubled(times: int) -> Any:
    expression: Any = "not_holding()"
    for _ in range(times):
        expression = {"expr_type": "AND", "sub_exprs": [expression] * 20}
    return expression


def endless() -> Any:
    expression: dict[str, Any] = {"expr_type": "AND"}
    expression["sub_exprs"] = [expression]
    return expression


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (None, "not an expression"),
        ([], "not an expression"),
        ({"expr_type": "XOR", "sub_exprs": ["not_holding()"]}, "other than AND"),
        ({"expr_type": "AND", "sub_exprs": []}, "without 1 to"),
        ({"expr_type": "AND", "sub_exprs": "not_holding()"}, "without 1 to"),
        (goal("pear", SOFA, "MOST"), "without EXISTS or FORALL"),
        (goal("fork", SOFA), "unknown category 'fork'"),
        (goal("pear", "receptacle_of_mine"), "unknown receptacle"),
        (goal("pear", SOFA) | {"inputs": [{"name": "not ok"}]}, "without name or type"),
        (goal("pear", SOFA) | {"inputs": []}, "unknown variable 'X'"),
        (goal("pear", SOFA) | {"inputs": 3}, "not a short list"),
        (
            goal("pear", SOFA) | {"inputs": [{"name": "X", "expr_type": "cup"}] * 2},
            "binds a variable twice",
        ),
        ({"expr_type": "AND", "sub_exprs": ["fly_to(moon\n\x1b)"]}, "unknown fact"),
        ({"expr_type": "AND", "sub_exprs": ["holding(016_pear_:0000)"]}, "unknown variable"),
        ({"expr_type": "AND", "sub_exprs": ["(lambda: 0)()"]}, "not a fact such as"),
        (nested(50), "nested too deep"),
        (doubled(5), "more than 32 parts"),
        (endless(), "nested too deep"),
    ],
)
def test_goals_that_are_none_are_refused_in_one_sentence(
    stored: dict[str, Any] | list[Any] | None, message: str
) -> None:
    with pytest.raises(EpisodeError, match=message) as refused:
        goal_text(stored)
    assert "\n" not in str(refused.value)


LOOSE = transform()
LOOSE[0, 0] = 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"things": (("030_fork", SOFA),)}, "unknown asset '030_fork'"),
        ({"things": (("016_pear", "shelf"),)}, "unknown receptacle 'shelf'"),
        ({"things": (("016_pear", SOFA),) * 65}, "65 objects; accepted: at most 64"),
        ({"instruction": "x" * 257}, "257 characters; accepted: at most 256"),
        ({"instruction": None}, "'instruction' is a NoneType"),
        ({"scene_id": "a scene"}, "scene_instance"),
        ({"instruct_id": "../../x"}, "not a template id"),
        ({"start_preds": ["not_holding()"]}, "the start sets 'not_holding"),
        ({"start_preds": [3]}, "something else than short texts"),
        ({"sampled_entities": {str(i): "pear" for i in range(99)}}, "99 entries"),
        ({"rigid_objs": np.zeros((1, 3), np.int64)}, "not an array of pairs"),
        ({"rigid_objs": None}, "not an array of pairs"),
        ({"rigid_objs": np.array([[0, 999]])}, "no transform"),
        ({"rigid_objs": np.array([[999, 0]])}, "no name for 999"),
        ({"name_to_receptacle": np.zeros((0, 2), np.int64)}, "stands on no receptacle"),
        ({"poses": (LOOSE,) * 3}, "not a rotation and position"),
        ({"poses": (transform(x=math.nan),) * 3}, "not a rotation and position"),
        ({"poses": (transform(x=1e6),) * 3}, "not a rotation and position"),
    ],
)
def test_episodes_that_do_not_fit_say_why(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(EpisodeError, match=message) as refused:
        read(tmp_path, Builder().add(**changes))
    assert "\n" not in str(refused.value)


def test_what_is_no_released_file_says_so(tmp_path: Path) -> None:
    def refused(data: Any) -> str:
        path = tmp_path / "context.pickle"
        path.write_bytes(data if isinstance(data, bytes) else pickle.dumps(data, protocol=4))
        with pytest.raises(DatasetError) as error:
            open_official(path)
        assert "\n" not in str(error.value)
        return str(error.value)

    valid = Builder().add().data
    assert "holds no dict" in refused([1, 2])
    assert "expected 'all_eps'" in refused({"all_eps": []})
    assert "expected 'all_eps'" in refused(valid | {"all_transforms": np.zeros((3, 4), np.float32)})
    twice = valid | {"all_eps": [valid["all_eps"][0]] * 2}
    assert "listed twice" in refused(twice)
    copied = valid | {"all_eps": [valid["all_eps"][0], dict(valid["all_eps"][0])]}
    assert "6 objects, but 3 poses" in refused(copied)
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 833547264\n"
    assert "git lfs pull" in refused(pointer)
    with pytest.raises(DatasetError, match="file not found"):
        open_official(tmp_path)
    path = Builder().add().write(tmp_path)
    with pytest.raises(DatasetError, match="accepted: at most 100"):
        open_official(path, max_bytes=100)


def test_swapped_files_are_told_apart_by_their_goals() -> None:
    assert split_of("multiple_objects", for_all=False) == "official_multiple_rearrangements"
    assert split_of("multiple_rearrangements", for_all=True) == "official_multiple_objects"
    assert split_of("multiple_objects", for_all=True) == "official_multiple_objects"
    assert split_of("rephrasing", for_all=False) == "official_instruction_rephrasing"
    assert split_of("context", for_all=False) == "official_context"
    with pytest.raises(EpisodeError, match="makes no split name"):
        split_of("My file-2", for_all=False)


def test_wordings_are_recovered_from_the_text(tmp_path: Path) -> None:
    builder = Builder()
    for category, place in (("pear", TABLE), ("apple", TABLE), ("cup", SINK)):
        entities = {"thing": category, "place": place}
        name = {TABLE: "black table", SINK: "sink"}[place]
        article = "an" if category == "apple" else "a"
        remark = f"An apple lies about; the {name} lacks {article} {category}."
        builder.add(remark, sampled_entities=entities)
        builder.add(f"Could {article} {category} go to the {name}?", sampled_entities=entities)
    file = open_official(builder.write(tmp_path))
    records = [file.episode(number) for number in range(len(file))]
    assert wording(records[1]) == "could a <thing> go to the <place>?"
    assert phrasings(records) in ([0, 1] * 3, [1, 0] * 3)
