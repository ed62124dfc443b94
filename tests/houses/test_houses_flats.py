"""All 105 flats keep the promises that episodes, robots and viewers rely on."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, deque
from itertools import combinations, pairwise

import numpy as np
import pytest

from langrearrange.errors import HouseError
from langrearrange.houses import HOUSE_IDS, get_house, houses_for, part_mesh
from langrearrange.houses.flats import furnishing_of
from langrearrange.houses.house import House
from langrearrange.houses.placement import Rect
from langrearrange.houses.robot import (
    HEAD_FORWARD_MM,
    HEAD_HEIGHT_MM,
    MAX_REACH_MM,
    ROBOT_RADIUS_MM,
)
from langrearrange.world.vocabulary import NAV_TARGETS, RECEPTACLES, spot_of

FORWARD = {0: (1, 0), 1571: (0, 1), 3142: (-1, 0), -1571: (0, -1)}
SAMPLE = ("flat_0_00", "flat_1_05", "flat_2_11", "flat_3_16", "flat_4_20")


def content(house: House) -> str:
    """All integers of a flat as text."""
    return repr(
        (
            house.id, house.size_mm, dict(house.stances), dict(house.gazes), dict(house.surfaces),
            house.start_cells, house.relations, house.outlines,
        )
    )  # fmt: skip


def test_there_are_105_flats_split_by_floor_plan() -> None:
    assert len(set(HOUSE_IDS)) == len(HOUSE_IDS) == 105
    split = [houses_for(use) for use in ("train", "validation", "test")]
    assert [len(ids) for ids in split] == [63, 21, 21]
    assert sorted(sum(split, ())) == sorted(HOUSE_IDS)
    assert {h[5] for h in split[0]}.isdisjoint({h[5] for h in split[1] + split[2]})


@pytest.mark.parametrize(
    "wrong", ["flat_5_00", "flat_0_21", "flat_0_0", "", "FLAT_0_00", "flat_0_00 "]
)
def test_an_unknown_flat_is_named_with_the_remedy(wrong: str) -> None:
    with pytest.raises(HouseError, match="flat_0_07"):
        get_house(wrong)
    with pytest.raises(HouseError, match="train, validation, test"):
        houses_for("training")


def test_a_flat_is_the_same_object_and_the_same_value_every_time() -> None:
    assert get_house("flat_2_03") is get_house("flat_2_03")
    before = content(get_house("flat_2_03"))
    get_house.cache_clear()
    furnishing_of.cache_clear()
    assert content(get_house("flat_2_03")) == before


def test_no_two_flats_are_alike() -> None:
    assert len({content(get_house(h))[11:] for h in HOUSE_IDS}) == 105


@pytest.mark.parametrize("house_id", HOUSE_IDS)
def test_everything_named_is_there(house_id: str) -> None:
    house = get_house(house_id)
    assert tuple(house.stances) == tuple(house.gazes) == NAV_TARGETS
    assert tuple(house.surfaces) == RECEPTACLES
    names = [part.name for part in house.parts]
    assert len(set(names)) == len(names)
    moving = {part.openable for part in house.parts} - {""}
    assert moving == {"fridge", "left_drawer", "middle_drawer", "right_drawer", "bottom_drawer"}
    few = {
        "chair",
        "sink",
        "left_counter",
        "right_counter",
        "fridge",
        "left_drawer",
        "right_drawer",
    }
    assert all(n == (6 if name in few else 8) for name, n in house.num_slots.items())


@pytest.mark.parametrize("house_id", HOUSE_IDS)
def test_furniture_stands_against_a_wall_and_touches_nothing_else(house_id: str) -> None:
    design = furnishing_of(house_id)
    for piece in design.pieces.values():
        inside = design.plan.rooms[piece.room]
        assert inside.holds(piece.footprint)
        back = (inside.x1 - piece.footprint.x1, inside.y1 - piece.footprint.y1,
                piece.footprint.x0 - inside.x0, piece.footprint.y0 - inside.y0)  # fmt: skip
        assert back[piece.frame.quarter] == 0
    rects = [f.footprint for f in design.pieces.values()]
    rects += [o.footprint for o in design.ornaments if o.blocks]
    assert not any(a.overlaps(b) for a, b in combinations(rects, 2))
    solid = [*design.walls, *design.plan.doorways]
    assert not any(rect.overlaps(other) for rect in rects for other in solid)


@pytest.mark.parametrize("house_id", HOUSE_IDS)
def test_walls_rooms_and_doorways_tile_the_flat(house_id: str) -> None:
    design = furnishing_of(house_id)
    pieces = [*design.walls, *design.plan.doorways, *design.plan.rooms.values()]
    assert not any(a.overlaps(b) for a, b in combinations(pieces, 2))
    width, depth = design.plan.size
    assert sum((r.x1 - r.x0) * (r.y1 - r.y0) for r in pieces) == width * depth


@pytest.mark.parametrize("house_id", HOUSE_IDS)
def test_doors_and_drawers_swing_free_of_furniture_and_of_the_robot(house_id: str) -> None:
    house, design = get_house(house_id), furnishing_of(house_id)
    robots = {
        spot_of(target): _disc(stance.x_mm, stance.y_mm) for target, stance in house.stances.items()
    }
    for piece in design.pieces.values():
        for swing in piece.swings:
            assert design.plan.rooms[piece.room].holds(swing)
            assert not any(swing.overlaps(f.footprint) for f in design.pieces.values())
            assert not any(swing.overlaps(o.footprint) for o in design.ornaments if o.blocks)
            for spot, robot in robots.items():
                if spot == "fridge":  # the leaves' arcs leave room for a disc between them
                    continue
                assert not swing.overlaps(robot), spot
    fridge = design.pieces["fridge"]
    for hinge_x in (-445, 445):
        x, y = fridge.frame.point(hinge_x, -fridge.size.depth)
        stance = house.stances["fridge"]
        assert math.hypot(stance.x_mm - x, stance.y_mm - y) > 449 + ROBOT_RADIUS_MM


def _disc(x: int, y: int) -> Rect:
    return Rect(x, y, x, y).grown(ROBOT_RADIUS_MM)


@pytest.mark.parametrize("house_id", HOUSE_IDS)
def test_swings_of_different_furniture_never_meet(house_id: str) -> None:
    pieces = furnishing_of(house_id).pieces.values()
    for a, b in combinations(pieces, 2):
        assert not any(s.overlaps(t) for s in a.swings for t in b.swings)


@pytest.mark.parametrize("house_id", HOUSE_IDS)
def test_every_stance_can_be_walked_to_from_every_start_cell(house_id: str) -> None:
    """A plain search over all cells whose centre keeps the disc off walls and furniture."""
    house, design = get_house(house_id), furnishing_of(house_id)
    solid = np.array(
        [*design.walls, *(f.footprint for f in design.pieces.values()),
         *(o.footprint for o in design.ornaments if o.blocks)]
    )  # fmt: skip
    columns, rows = house.size_mm[0] // 100, house.size_mm[1] // 100
    x, y = np.meshgrid(np.arange(columns) * 100 + 50, np.arange(rows) * 100 + 50)
    dx = np.maximum(np.maximum(solid[:, 0, None, None] - x, x - solid[:, 2, None, None]), 0)
    dy = np.maximum(np.maximum(solid[:, 1, None, None] - y, y - solid[:, 3, None, None]), 0)
    free = (dx * dx + dy * dy).min(axis=0) >= ROBOT_RADIUS_MM**2
    walked = _walk(free, house.start_cells[0])
    for x_mm, y_mm in house.start_cells:
        assert walked[y_mm // 100, x_mm // 100]
    for stance in house.stances.values():
        assert walked[stance.y_mm // 100, stance.x_mm // 100]
    assert len(house.start_cells) > 300


def _walk(free: np.ndarray, start: tuple[int, int]) -> np.ndarray:
    reached = np.zeros_like(free)
    first = (start[1] // 100, start[0] // 100)
    reached[first] = free[first]
    queue = deque([first])
    while queue:
        row, column = queue.popleft()
        for step in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
            if free[step] and not reached[step]:
                reached[step] = True
                queue.append(step)
    return reached


def slot_points(house: House, receptacle: str) -> np.ndarray:
    """Slots of a receptacle with its container open, (n, 3) mm, house frame."""
    surface = house.surfaces[receptacle]
    points = np.array([(s.x_mm, s.y_mm, s.z_mm) for s in surface.slots], float)
    if surface.part:
        pose = house.part(surface.part).opened.astype(float)
        points = points @ pose[:, :3].T + pose[:, 3] * 1000
    return points


def head(house: House, target: str) -> np.ndarray:
    """The head camera's centre at a stance, mm."""
    stance = house.stances[target]
    ahead = FORWARD[stance.yaw_mrad]
    return np.array(
        [stance.x_mm + ahead[0] * HEAD_FORWARD_MM, stance.y_mm + ahead[1] * HEAD_FORWARD_MM,
         HEAD_HEIGHT_MM], float,
    )  # fmt: skip


@pytest.mark.parametrize("house_id", HOUSE_IDS)
def test_all_slots_lie_within_reach_and_within_one_frame(house_id: str) -> None:
    house = get_house(house_id)
    half_frame = math.tan(math.radians(65 / 2))
    for receptacle in RECEPTACLES:
        points, eye = slot_points(house, receptacle), head(house, receptacle)
        assert np.linalg.norm(points - eye, axis=1).max() <= MAX_REACH_MM
        ahead = np.array(house.gazes[receptacle]) - eye
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, [0, 0, 1])
        right /= np.linalg.norm(right)
        up = np.cross(right, ahead)
        for high in (0, 120):
            ray = points + np.array([0, 0, high]) - eye
            depth = ray @ ahead
            assert (np.abs(ray @ right) / depth).max() < half_frame
            assert (np.abs(ray @ up) / depth).max() < half_frame


@pytest.mark.parametrize("house_id", HOUSE_IDS)
def test_slot_cells_overlap_no_neighbour_and_hang_over_no_edge(house_id: str) -> None:
    house = get_house(house_id)
    outlines = {label: Rect(*rect) for label, *rect in house.outlines if label != "wall"}
    for receptacle, surface in house.surfaces.items():
        half = surface.cell_mm[0] // 2
        assert surface.cell_mm[0] == surface.cell_mm[1]
        cells = [Rect(s.x_mm - half, s.y_mm - half, s.x_mm + half, s.y_mm + half)
                 for s in surface.slots]  # fmt: skip
        assert not any(a.overlaps(b) for a, b in combinations(cells, 2))
        if not surface.part:
            assert all(outlines[receptacle].holds(cell) for cell in cells)
        rows = [slot.row for slot in surface.slots]
        assert rows == sorted(rows, reverse=True)
        assert Counter(rows) == {0: len(rows) // 2, 1: len(rows) // 2}


@pytest.mark.parametrize("house_id", HOUSE_IDS)
def test_back_rows_are_farther_from_the_robot(house_id: str) -> None:
    house = get_house(house_id)
    for receptacle, surface in house.surfaces.items():
        ahead = FORWARD[house.stances[receptacle].yaw_mrad]
        points = slot_points(house, receptacle)
        along = points[:, 0] * ahead[0] + points[:, 1] * ahead[1]
        rows = np.array([slot.row for slot in surface.slots])
        assert along[rows == 1].min() > along[rows == 0].max()


@pytest.mark.parametrize("house_id", HOUSE_IDS)
def test_spatial_relations_are_true_and_have_one_referent(house_id: str) -> None:
    """Seen by a viewer who faces the wall, from poses alone."""
    house, design = get_house(house_id), furnishing_of(house_id)
    rows: dict[tuple[str, int], list[tuple[float, str]]] = {}
    for name in RECEPTACLES:
        if name.endswith("drawer"):
            continue
        stance = house.stances[name]
        ahead = FORWARD[stance.yaw_mrad]
        room = next(
            room for room, r in design.plan.rooms.items()
            if r.x0 < stance.x_mm < r.x1 and r.y0 < stance.y_mm < r.y1
        )  # fmt: skip
        rightward = stance.x_mm * ahead[1] - stance.y_mm * ahead[0]
        rows.setdefault((room, stance.yaw_mrad), []).append((rightward, name))
    expected: set[tuple[str, tuple[str, ...], str]] = set()
    for row in rows.values():
        names = [name for _, name in sorted(row)]
        expected |= {("left_of", (b,), a) for a, b in pairwise(names)}
        expected |= {("right_of", (a,), b) for a, b in pairwise(names)}
        expected |= {
            ("between", (a, c), b) for a, b, c in zip(names, names[1:], names[2:], strict=False)
        }
    found = {(r.relation, r.anchors, r.referent) for r in house.relations}
    assert found == expected
    assert len({(r.relation, r.anchors) for r in house.relations}) == len(house.relations)


@pytest.mark.parametrize("use", ["train", "validation", "test"])
def test_six_receptacles_can_be_told_by_their_place(use: str) -> None:
    referents = Counter(r.referent for h in houses_for(use) for r in get_house(h).relations)
    assert sum(1 for count in referents.values() if count >= 2) >= 6


@pytest.mark.parametrize("house_id", SAMPLE)
def test_every_slot_rests_on_a_surface(house_id: str) -> None:
    """Straight below each slot, within 1.5 mm, there is furniture: nothing floats or is sunk."""
    house = get_house(house_id)
    for receptacle, surface in house.surfaces.items():
        part = house.part(surface.part or receptacle)
        mesh = part_mesh(part.mesh)
        for slot in surface.slots:
            point = np.array([slot.x_mm, slot.y_mm, slot.z_mm], float) / 1000
            if not surface.part:
                pose = part.closed.astype(float)
                point = pose[:, :3].T @ (point - pose[:, 3])
            top = _highest_below(mesh.positions[mesh.faces].astype(float), point)
            assert top == pytest.approx(point[2], abs=0.0015), receptacle


def _highest_below(triangles: np.ndarray, point: np.ndarray) -> float:
    """Height of the highest triangle under (and at most 5 cm above) a point."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    flat = np.abs(area) > 1e-9
    a, b, c, area = a[flat], b[flat], c[flat], area[flat]
    u = (
        (point[0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (point[1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    ) / area
    v = (
        (b[:, 0] - a[:, 0]) * (point[1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (point[0] - a[:, 0])
    ) / area
    z = a[:, 2] + u * (b[:, 2] - a[:, 2]) + v * (c[:, 2] - a[:, 2])
    hit = (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9) & (z < point[2] + 0.05)
    return float(z[hit].max())


@pytest.mark.parametrize("house_id", SAMPLE)
def test_furniture_stays_within_its_outline_and_flats_within_their_budget(house_id: str) -> None:
    house, design = get_house(house_id), furnishing_of(house_id)
    total = 0
    for part in house.parts:
        mesh = part_mesh(part.mesh)
        total += len(mesh.faces)
        assert np.isfinite(mesh.positions).all()
        assert np.abs(np.linalg.norm(mesh.normals, axis=1) - 1).max() < 1e-3
        assert 0 <= mesh.colors.min() <= mesh.colors.max() <= 255
    for name, piece in design.pieces.items():
        names = ("left_counter", "sink", "right_counter") if name == "kitchen" else (name,)
        for part_name in names:
            low, high = part_mesh(f"{house_id}/{part_name}").bounds * 1000
            half, handle = piece.size.width / 2, 45
            assert low[0] >= -half - 5, part_name
            assert high[0] <= half + 5, part_name
            assert low[1] >= -piece.size.depth - handle, part_name
            assert high[1] <= 1, part_name
            assert low[2] >= -1, part_name
    assert total <= 25_000


def test_open_drawers_clear_the_counter_and_keep_within_their_swing() -> None:
    house, design = get_house("flat_0_00"), furnishing_of("flat_0_00")
    kitchen = design.pieces["kitchen"]
    for name in ("left_drawer", "right_drawer"):
        points = slot_points(house, name)
        forward = FORWARD[kitchen.frame.viewer_yaw_mrad]
        front = kitchen.frame.point(0, -kitchen.size.depth)
        beyond = (points[:, 0] - front[0]) * forward[0] + (points[:, 1] - front[1]) * forward[1]
        assert beyond.max() + 130 <= 0
    assert not np.array_equal(house.part("fridge_left_door").closed,
                              house.part("fridge_left_door").opened)  # fmt: skip


def test_unknown_parts_are_refused() -> None:
    for key in ("flat_0_00/piano", "flat_0_00", "flat_0_00/decor_999", "flat_0_00/floor_attic"):
        with pytest.raises(HouseError, match="no part"):
            part_mesh(key)
    with pytest.raises(HouseError, match="unknown part"):
        get_house("flat_0_00").part("piano")


def test_the_flats_are_the_published_ones() -> None:
    """Episodes name flats by id: any change here changes what they mean."""
    whole = hashlib.sha256("".join(content(get_house(h)) for h in HOUSE_IDS).encode())
    assert whole.hexdigest()[:16] == "fa9169ec72b59bae"
