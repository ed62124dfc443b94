"""Where things are: a scene shown step by step equals one shown at once; cameras and arm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from household import Household, household
from hypothesis import given, settings
from hypothesis import strategies as st

from langrearrange.dataset.episode import Pose
from langrearrange.errors import UsageError
from langrearrange.houses import HOUSE_IDS, get_house, slot_pose
from langrearrange.sim import SEGMENT_PART, SEGMENT_ROBOT, Scene, head_camera, look_at
from langrearrange.sim.camera import HFOV_DEG, Vector, check_preset, gaze
from langrearrange.sim.robot import LINKS, pose_arm
from langrearrange.world import SKILL_INDEX, WorldState, apply
from langrearrange.world.vocabulary import NUM_NAV_TARGETS, START


def fresh(home: Household, state: WorldState) -> Scene:
    scene = Scene(home.house, home.objects, home.start)
    scene.show(state)
    return scene


def assert_same(scene: Scene, other: Scene) -> None:
    np.testing.assert_array_equal(scene.poses, other.poses)
    np.testing.assert_array_equal(scene.drawn, other.drawn)
    np.testing.assert_array_equal(scene.resting, other.resting)
    np.testing.assert_array_equal(scene.arm.joints, other.arm.joints)


@settings(max_examples=20, deadline=None)
@given(actions=st.lists(st.integers(0, 69), max_size=25), house=st.sampled_from(HOUSE_IDS[::13]))
def test_showing_every_step_equals_showing_the_last_one(actions: list[int], house: str) -> None:
    home = household(house)
    scene, state = fresh(home, home.state), home.state
    for action in actions:
        state, _ = apply(home.layout, state, action)
        scene.show(state)
    assert_same(scene, fresh(home, state))


def test_going_back_restores_every_pose() -> None:
    home = household()
    scene = fresh(home, home.state)
    poses = scene.poses.copy()
    state = home.state
    for skill in ("nav(fridge)", "open(fridge)", "nav(sofa)"):
        state, _ = apply(home.layout, state, SKILL_INDEX[skill])
        scene.show(state)
    scene.show(home.state)
    np.testing.assert_array_equal(scene.poses, poses)


def test_what_a_closed_container_holds_is_not_drawn_and_what_an_open_one_holds_is() -> None:
    home = household()
    scene = fresh(home, home.state)
    first = len(home.house.parts)
    hidden = [
        thing.receptacle in ("fridge", "left_drawer", "right_drawer") for thing in home.objects
    ]
    assert (scene.drawn[first : first + len(hidden)] == ~np.array(hidden)).all()
    scene.show(home.state._replace(open_mask=0b11111))
    assert scene.drawn.all()


def test_things_in_a_drawer_move_with_it() -> None:
    home = household()
    index = next(i for i, thing in enumerate(home.objects) if thing.receptacle == "left_drawer")
    row = len(home.house.parts) + index
    closed = fresh(home, home.state).poses[row, :, 3]
    opened = fresh(home, home.state._replace(open_mask=0b11111)).poses[row, :, 3]
    assert np.linalg.norm(opened - closed) > 0.3


def test_things_stand_on_their_slots_turned_by_their_yaw() -> None:
    home = household()
    scene = fresh(home, home.state)
    for index, thing in enumerate(home.objects):
        pose = scene.poses[len(home.house.parts) + index]
        slot = slot_pose(home.house, thing.receptacle, thing.slot, 0)
        np.testing.assert_array_equal(pose[:, 3], slot[:, 3])
        turn = slot[:, :3].T @ pose[:, :3]
        assert math.isclose(
            math.atan2(turn[1, 0], turn[0, 0]) % (2 * math.pi), thing.yaw / 1000, abs_tol=1e-3
        )


def test_an_explicit_pose_holds_until_the_thing_is_moved() -> None:
    home = household()
    thing = home.objects[0]
    half = round(math.sqrt(0.5) * 1e6)
    placed = type(thing)(
        id=thing.id, category=thing.category, model=thing.model, receptacle=thing.receptacle,
        slot=thing.slot, yaw=0, pose=Pose(position=(1500, -250, 750), rotation=(half, 0, 0, half)),
    )  # fmt: skip
    scene = Scene(home.house, (placed, *home.objects[1:]), home.start)
    scene.show(home.state)
    row = len(home.house.parts)
    expected = [[0, -1, 0, 1.5], [1, 0, 0, -0.25], [0, 0, 1, 0.75]]
    np.testing.assert_allclose(scene.poses[row], expected, atol=1e-5)
    slots = (home.state.slots[0] + 50, *home.state.slots[1:])
    scene.show(home.state._replace(slots=slots))
    assert not np.allclose(scene.poses[row], expected, atol=0.01)


def test_segments_number_objects_parts_and_the_robot() -> None:
    home = household()
    scene = fresh(home, home.state)
    parts, things = len(home.house.parts), len(home.objects)
    expected = [*range(SEGMENT_PART, SEGMENT_PART + parts), *range(things)]
    assert scene.segments.tolist() == expected + [SEGMENT_ROBOT] * len(LINKS)
    assert len(scene.keys) == len(scene.segments)


@pytest.mark.parametrize("house_id", HOUSE_IDS[::20])
def test_the_head_is_120_cm_high_and_looks_at_what_the_robot_drove_to(house_id: str) -> None:
    home = household(house_id)
    for place in range(NUM_NAV_TARGETS + 1):
        camera = head_camera(home.house, place, home.start, "default")
        view = camera.view.astype(float)
        eye = -view[:, :3].T @ view[:, 3]
        assert abs(eye[2] - 1.2) < 1e-4
        np.testing.assert_allclose(view[:, :3] @ view[:, :3].T, np.eye(3), atol=1e-6)
        _, target = gaze(home.house, place, home.start)
        seen = view[:, :3] @ np.array(target) + view[:, 3]
        assert abs(seen[0]) < 1e-3
        assert abs(seen[1]) < 1e-3
        assert seen[2] < 0
        assert camera.hfov_deg == HFOV_DEG == 65


def test_the_habitat_camera_looks_218_tenths_of_a_degree_down_with_90_degrees() -> None:
    home = household()
    for place in (0, 7, START):
        camera = head_camera(home.house, place, home.start, "habitat")
        assert camera.hfov_deg == 90
        assert math.isclose(math.degrees(math.asin(camera.view[2, 2])), 21.8, abs_tol=0.01)


def test_cameras_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="no upright camera"):
        look_at(Vector(0, 0, 1), Vector(0, 0, 0))
    with pytest.raises(UsageError, match="field of view"):
        look_at(Vector(0, 0, 1), Vector(1, 0, 0), 180)
    with pytest.raises(UsageError, match="unknown camera 'fisheye'; accepted: default"):
        check_preset("fisheye")


SIDE = st.integers(20, 350)


@settings(max_examples=40, deadline=None)
@given(size=st.tuples(SIDE, SIDE, SIDE), free=st.booleans())
def test_the_arm_is_drawn_as_its_joints_say_and_reaches_what_it_holds(
    size: tuple[int, int, int], free: bool
) -> None:
    view = head_camera(get_house("flat_1_02"), 6, get_house("flat_1_02").stance(6), "default").view
    arm = pose_arm(view, None if free else size)
    assert (np.abs(arm.joints) <= np.pi).all()
    upper, forearm, gripper = (link.astype(float) for link in arm.links)
    np.testing.assert_allclose(upper[:, 3] + 0.36 * upper[:, 0], forearm[:, 3], atol=1e-5)
    np.testing.assert_allclose(forearm[:, 3] + 0.34 * forearm[:, 0], gripper[:, 3], atol=1e-5)
    if not free:
        fingers = gripper[:, 3] + 0.17 * gripper[:, 0]
        above = fingers - arm.grasp[:, 3]
        assert np.hypot(above[0], above[1]) < 0.02
        assert 0 < above[2] < size[2] / 1000
        np.testing.assert_allclose(arm.grasp[2, :3], [0, 0, 1], atol=1e-6)


def test_the_arm_at_rest_and_holding_differ_and_do_not_depend_on_the_place() -> None:
    home = household()
    scene = fresh(home, home.state)
    at_rest = scene.arm.joints.copy()
    state, _ = apply(home.layout, home.state, SKILL_INDEX["nav(sofa)"])
    scene.show(state)
    np.testing.assert_array_equal(scene.arm.joints, at_rest)
    held = state.receptacles.index(7)
    receptacles = tuple(11 if i == held else r for i, r in enumerate(state.receptacles))
    scene.show(state._replace(held=held, receptacles=receptacles))
    assert not np.allclose(scene.arm.joints, at_rest)
