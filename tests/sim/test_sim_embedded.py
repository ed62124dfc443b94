"""The embedded simulator through its public face: frames, batches, presets, mistakes."""

from __future__ import annotations

import numpy as np
import pytest
from household import Household, blank, household, look

from langrearrange.errors import RenderError, UsageError
from langrearrange.sim import SEGMENT_PART, SEGMENT_ROBOT, Frame
from langrearrange.sim.embedded import QUALITIES, EmbeddedSimulator
from langrearrange.sim.embedded.library import mesh_library
from langrearrange.sim.embedded.native import levels, use_level
from langrearrange.sim.protocol import missing_members
from langrearrange.world import SKILL_INDEX, apply
from langrearrange.world.vocabulary import NAV_INDEX


def loaded(
    house_id: str = "flat_0_00", place: str = "sofa", mask: int = 0, **options: str
) -> tuple[Household, EmbeddedSimulator]:
    home = household(house_id)
    simulator = EmbeddedSimulator(**options)
    simulator.load(home.house, home.objects, home.start)
    simulator.show(home.state._replace(place=NAV_INDEX[place], open_mask=mask))
    return home, simulator


def test_it_is_a_simulator() -> None:
    assert missing_members(EmbeddedSimulator()) == []


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_frame_is_filled_with_colour_depth_and_segments(quality: str) -> None:
    home, simulator = loaded(quality=quality)
    seen = look(simulator)
    assert seen.rgb.std() > 5
    assert (seen.depth > 0.05).all()
    assert (seen.depth < 20).all()
    parts = {SEGMENT_PART + i for i in range(len(home.house.parts))}
    segments = set(np.unique(seen.segmentation).tolist())
    assert segments <= parts | set(range(len(home.objects))) | {SEGMENT_ROBOT}
    sofa = SEGMENT_PART + [part.name for part in home.house.parts].index("sofa")
    assert (seen.segmentation == sofa).mean() > 0.1
    on_sofa = {i for i, thing in enumerate(home.objects) if thing.receptacle == "sofa"}
    assert on_sofa <= segments


def test_the_same_view_gives_the_same_bytes_and_qualities_differ() -> None:
    frames = [look(loaded(quality=q)[1]).rgb for q in ("textured", "default", "plain")]
    assert frames[0].tobytes() == frames[1].tobytes()
    assert frames[1].tobytes() != frames[2].tobytes()


@pytest.mark.parametrize("quality", ["default", "supersampled"])
def test_every_level_draws_a_flat_with_the_same_bytes(quality: str) -> None:
    _, simulator = loaded("flat_4_11", "left_counter", 31, quality=quality)
    frames = {}
    for level in levels():
        before = use_level(level)
        try:
            frames[level] = look(simulator, size=130)
        finally:
            use_level(before)
    for level, seen in frames.items():
        assert seen.rgb.tobytes() == frames["plain"].rgb.tobytes(), level
        assert seen.depth.tobytes() == frames["plain"].depth.tobytes(), level


@pytest.mark.parametrize("threads", [1, 3])
def test_a_batch_equals_one_render_after_the_other(threads: int) -> None:
    views = {"flat_0_00": "sofa", "flat_3_02": "fridge", "flat_4_20": "sink", "flat_1_07": "chair"}
    simulators = [loaded(house_id, place)[1] for house_id, place in views.items()]
    singles = np.stack([look(simulator).rgb for simulator in simulators])
    batch = np.zeros_like(singles)
    EmbeddedSimulator.render_batch(simulators, [Frame(rgb=rgb) for rgb in batch], threads=threads)
    assert batch.tobytes() == singles.tobytes()


def test_a_held_thing_is_seen_at_the_lower_right_and_joints_move() -> None:
    home, simulator = loaded()
    state = home.state._replace(place=NAV_INDEX["sofa"])
    resting = simulator.joints.copy()
    held = next(i for i, thing in enumerate(home.objects) if thing.receptacle == "sofa")
    skill = SKILL_INDEX[f"pick({home.objects[held].category})"]
    state, _ = apply(home.layout, state, skill)
    simulator.show(state)
    rows, columns = np.nonzero(look(simulator).segmentation == state.held)
    assert len(rows) > 20
    assert rows.mean() > 60
    assert columns.mean() > 55
    assert simulator.joints.dtype == np.float32
    assert not np.allclose(simulator.joints, resting)


def test_closed_containers_hide_and_open_ones_show() -> None:
    home, simulator = loaded(place="fridge")
    inside = {i for i, thing in enumerate(home.objects) if thing.receptacle == "fridge"}
    assert not inside & set(np.unique(look(simulator).segmentation).tolist())
    simulator.show(home.state._replace(place=NAV_INDEX["fridge"], open_mask=1))
    assert inside <= set(np.unique(look(simulator).segmentation).tolist())


def test_a_contact_shadow_darkens_only_what_lies_around() -> None:
    _, simulator = loaded(place="brown_table", quality="plain")
    with_shadows = look(simulator)
    simulator._ids[:, 2] = 0
    without = look(simulator)
    darker = (with_shadows.rgb < without.rgb).any(axis=-1)
    assert (with_shadows.rgb <= without.rgb).all()
    assert 10 < darker.sum() < darker.size / 2
    np.testing.assert_array_equal(with_shadows.depth, without.depth)


def test_meshes_are_packed_once_per_process() -> None:
    loaded("flat_2_02")
    before = len(mesh_library())
    loaded("flat_2_02")
    assert len(mesh_library()) == before


def test_mistakes_are_named() -> None:
    with pytest.raises(UsageError, match="unknown quality 'best'; accepted: default"):
        EmbeddedSimulator(quality="best")
    simulator = EmbeddedSimulator()
    with pytest.raises(RenderError, match=r"call load\(\.\.\.\)"):
        simulator.head_camera()
    home, simulator = loaded()
    camera = simulator.head_camera()
    with pytest.raises(RenderError, match="rgb: expected uint8"):
        simulator.render(camera, Frame(rgb=np.zeros((8, 8, 3))))  # type: ignore[arg-type]
    with pytest.raises(RenderError, match="1 simulators, 2 frames"):
        EmbeddedSimulator.render_batch([simulator], [Frame(*blank()), Frame(*blank())])
    with pytest.raises(RenderError, match="differ in quality"):
        EmbeddedSimulator.render_batch(
            [simulator, loaded(quality="plain")[1]], [Frame(*blank()), Frame(*blank())]
        )
    simulator.load(home.house, home.objects, home.start)
    with pytest.raises(RenderError, match="no state was shown"):
        simulator.render(camera, Frame(*blank()))
    simulator.close()
    simulator.close()
    with pytest.raises(RenderError, match="holds no household"):
        simulator.show(home.state)
