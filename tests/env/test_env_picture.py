"""The rendered picture, call by call: where dots, robot, labels and the caption are drawn."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import pytest
from handmade import episode, on
from msgspec.structs import replace
from PIL import Image, ImageDraw

from langrearrange.dataset import Episode
from langrearrange.env import picture
from langrearrange.env.config import EnvConfig
from langrearrange.env.picture import CAPTION_TOP, HEIGHT, VIEW, WIDTH, Picture, draw_map
from langrearrange.env.task import Rules, Task
from langrearrange.houses import House, get_house, slot_pose
from langrearrange.sim import start_pose
from langrearrange.world import CLOSED_RECEPTACLES, skill_index
from langrearrange.world.vocabulary import RECEPTACLES, english

THING, ROBOT, START = (213, 94, 0), (0, 114, 178), (0, 158, 115)
FETCH = episode(
    0,
    "Put a mug in the sink.",
    on("mug", "sink"),
    {"mug_0": "fridge", "mug_1": "sofa", "pear_0": "sofa", "book_0": "left_drawer"},
)
MARGIN = 16


class Call(NamedTuple):
    name: str
    where: Any
    arguments: tuple[Any, ...]
    options: dict[str, Any]


class Recorder:
    """Draws as Pillow does and notes what was asked for."""

    def __init__(self, calls: list[Call], page: Image.Image) -> None:
        self._calls, self._draw = calls, ImageDraw.Draw(page)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._draw, name)
        if name.endswith(("bbox", "length")):
            return method

        def noted(where: Any, *arguments: Any, **options: Any) -> Any:
            self._calls.append(Call(name, where, arguments, options))
            return method(where, *arguments, **options)

        return noted


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    noted: list[Call] = []
    monkeypatch.setattr(
        picture, "ImageDraw", SimpleNamespace(Draw=lambda page: Recorder(noted, page))
    )
    picture._plan.cache_clear()
    return noted


def after(e: Episode, *skills: str, **rules: Any) -> Task:
    task = Task(e, Rules(**rules))
    for skill in skills:
        task.step(skill_index(skill))
    return task


def pixel(house: House, x_mm: float, y_mm: float) -> tuple[float, float]:
    """The flat fills the map up to a pixel on each side, centred; y runs up."""
    width, height = house.size_mm
    factor = (VIEW - 2) / max(width, height)
    return (
        VIEW / 2 + (x_mm - width / 2) * factor,
        VIEW / 2 - (y_mm - height / 2) * factor,
    )


def centre(box: tuple[float, float, float, float]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def radius(box: tuple[float, float, float, float]) -> float:
    assert box[2] - box[0] == pytest.approx(box[3] - box[1])
    return (box[2] - box[0]) / 2


# -- the map ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("opened", [False, True])
def test_things_stand_where_they_are_and_hidden_ones_are_rings(
    calls: list[Call], opened: bool
) -> None:
    task = after(FETCH, "nav(fridge)", *["open(fridge)"] * opened)
    draw_map(task)
    house = get_house(FETCH.house)
    things = [c for c in calls if c.name == "ellipse" and c.arguments[1] == THING]
    assert len(things) == 4
    mask = task.state.open_mask
    for call, receptacle, slot in zip(
        things, task.state.receptacles, task.state.slots, strict=True
    ):
        pose = slot_pose(house, RECEPTACLES[receptacle], slot, mask)
        expected = pixel(house, 1000 * pose[0, 3], 1000 * pose[1, 3])
        assert centre(call.where) == pytest.approx(expected)
        assert radius(call.where) == 4
        hidden = CLOSED_RECEPTACLES[mask] >> receptacle & 1
        assert call.arguments[0] == (None if hidden else THING)
        assert call.options == {"width": 2}
    rings = sum(call.arguments[0] is None for call in things)
    assert rings == (1 if opened else 2)


def test_the_start_is_a_green_ring_and_the_robot_an_arrow(calls: list[Call]) -> None:
    house = get_house(FETCH.house)
    for task in (after(FETCH), after(FETCH, "nav(sofa)")):
        calls.clear()
        draw_map(task)
        start = start_pose(task.episode)
        (ring,) = [c for c in calls if c.name == "ellipse" and c.arguments[1] == START]
        assert centre(ring.where) == pytest.approx(pixel(house, start.x_mm, start.y_mm))
        assert (radius(ring.where), ring.arguments[0], ring.options) == (5, None, {"width": 2})
        base = house.stances["sofa"] if task.steps else start
        (arrow,) = [c for c in calls if c.name == "polygon"]
        x, y = pixel(house, base.x_mm, base.y_mm)
        yaw = base.yaw_mrad / 1000
        offsets = [(px - x, y - py) for px, py in arrow.where]
        tip, left, tail, right = offsets
        assert tip == pytest.approx((15 * math.cos(yaw), 15 * math.sin(yaw)))
        assert tail == pytest.approx((-5.25 * math.cos(yaw), -5.25 * math.sin(yaw)), abs=1e-6)
        for corner, turn in ((left, 2.5), (right, -2.5)):
            assert math.hypot(*corner) == pytest.approx(12)
            angle = math.atan2(corner[1], corner[0]) - yaw - turn
            assert math.cos(angle) == pytest.approx(1)
        assert arrow.arguments == (ROBOT, (250, 250, 248))


def test_a_held_thing_is_drawn_before_the_robot(calls: list[Call]) -> None:
    draw_map(after(FETCH, "nav(sofa)", "pick(mug)"))
    house = get_house(FETCH.house)
    dots = [c for c in calls if c.name == "ellipse" and c.arguments[-1] == THING]
    on_furniture = [c for c in dots if len(c.arguments) == 2]
    (hand,) = [c for c in dots if len(c.arguments) == 1]
    assert len(on_furniture) == 3
    base = house.stances["sofa"]
    x, y = pixel(house, base.x_mm, base.y_mm)
    yaw = base.yaw_mrad / 1000
    expected = (x + 20 * math.cos(yaw), y - 20 * math.sin(yaw))
    assert centre(hand.where) == pytest.approx(expected)
    assert radius(hand.where) == 4


def test_the_plan_has_floor_walls_furniture_and_names(calls: list[Call]) -> None:
    page = draw_map(after(FETCH))
    assert page.size == (VIEW, VIEW)
    house = get_house(FETCH.house)
    width, height = house.size_mm
    floor, *boxes = [c for c in calls if c.name == "rectangle"]
    assert floor.where == pytest.approx((*pixel(house, 0, height), *pixel(house, width, 0)))
    walls = [outline for outline in house.outlines if outline[0] == "wall"]
    furniture = [outline for outline in house.outlines if outline[0] != "wall"]
    assert len(boxes) == len(house.outlines)
    for call, (_, x0, y0, x1, y1) in zip(boxes, [*furniture, *walls], strict=True):
        assert call.where == pytest.approx((*pixel(house, x0, y1), *pixel(house, x1, y0)))
    names = [c.arguments[0].replace("\n", " ") for c in calls if c.name == "multiline_text"]
    labelled = [outline[0] for outline in house.outlines if outline[0] in RECEPTACLES]
    assert names == [english(name) for name in labelled]
    assert set(labelled) == set(RECEPTACLES) - {"left_drawer", "right_drawer"}


def test_a_name_stands_beside_its_furniture_on_the_side_of_the_stance(calls: list[Call]) -> None:
    draw_map(after(FETCH))
    house = get_house(FETCH.house)
    measure = ImageDraw.Draw(Image.new("RGB", (VIEW, VIEW)))
    boxes = {o[0]: o[1:] for o in house.outlines if o[0] in RECEPTACLES}
    sides = set()
    for call, (name, (x0, y0, x1, y1)) in zip(
        [c for c in calls if c.name == "multiline_text"], boxes.items(), strict=True
    ):
        font = call.arguments[2]
        _, _, wide, high = measure.multiline_textbbox((0, 0), call.arguments[0], font, spacing=1)
        (left, top), (right, bottom) = pixel(house, x0, y1), pixel(house, x1, y0)
        stance = house.stances[name]
        x, y = pixel(house, stance.x_mm, stance.y_mm)
        dx, dy = x - (left + right) / 2, y - (top + bottom) / 2
        middle = ((left + right - wide) / 2, (top + bottom - high) / 2)
        if abs(dx) > abs(dy):
            side = "right" if dx > 0 else "left"
            expected = (right + 3 if dx > 0 else left - wide - 3, middle[1])
        else:
            side = "below" if dy > 0 else "above"
            expected = (middle[0], bottom + 2 if dy > 0 else top - high - 4)
        sides.add(side)
        assert call.where == pytest.approx(expected), (name, side)
    assert len(sides) >= 3


@pytest.mark.parametrize(
    ("stance", "place"),
    [
        ((200, 100), (143, 93)),  # to the right
        ((0, 100), (57 - 24, 93)),  # to the left
        ((100, 200), (88, 122)),  # below
        ((100, 0), (88, 62)),  # above
        ((150, 150), (88, 122)),  # on the diagonal: below
    ],
)
def test_the_side_of_a_name_is_that_of_the_larger_distance(
    stance: tuple[float, float], place: tuple[float, float]
) -> None:
    """A name of 24 x 14 pixels beside furniture of 80 x 40 around (100, 100)."""
    noted: list[Call] = []

    class Fixed(Recorder):
        def multiline_textbbox(self, *_: Any, **__: Any) -> tuple[int, int, int, int]:
            return 0, 0, 24, 14

    draw: Any = Fixed(noted, Image.new("RGB", (300, 300)))
    picture._label(draw, "left drawer", (60, 80, 140, 120), stance)
    (call,) = noted
    assert call.arguments[0] == "left\ndrawer"
    assert call.where == place


def test_floor_walls_furniture_and_names_have_their_colours(calls: list[Call]) -> None:
    draw_map(after(FETCH))
    fills = {call.arguments[0] for call in calls if call.name == "rectangle"}
    assert fills == {(238, 234, 226), (96, 100, 108), (206, 214, 224)}
    lines = {call.arguments[1] for call in calls if call.name == "rectangle" and call.arguments[1:]}
    assert lines == {None, (112, 116, 124)}
    inks = {call.arguments[1] for call in calls if call.name == "multiline_text"}
    assert inks == {(34, 36, 40)}
    assert (HEIGHT, WIDTH) == (572, 944), "even, as videos need it"


# -- the caption -----------------------------------------------------------------------------------


def caption(calls: list[Call], task: Task) -> tuple[list[Call], Call]:
    """The lines of the sentence, and the status line."""
    drawer = Picture(EnvConfig(observation="state"))
    page = drawer.draw(task)
    drawer.close()
    assert page.shape == (HEIGHT, WIDTH, 3)
    *lines, status = [c for c in calls if c.name == "text"]
    return lines, status


@pytest.mark.parametrize(
    ("words", "size", "num_lines"),
    [("Put a mug in the sink.", 20, 1), ("word " * 30, 20, 2), ("word " * 51, 14, None)],
)
def test_the_sentence_is_wrapped_as_late_as_possible(
    calls: list[Call], words: str, size: int, num_lines: int | None
) -> None:
    lines, _ = caption(calls, after(replace(FETCH, instruction=words.strip())))
    assert " ".join(call.arguments[0] for call in lines) == words.strip()
    assert num_lines is None or len(lines) == num_lines
    font = lines[0].arguments[2]
    assert getattr(font, "size", size) == size
    measure = ImageDraw.Draw(Image.new("RGB", (WIDTH, HEIGHT)))
    room = WIDTH - 2 * MARGIN
    for i, call in enumerate(lines):
        assert call.where == (MARGIN, CAPTION_TOP + 10 + i * round(1.3 * size))
        assert measure.textlength(call.arguments[0], font) <= room
        if i + 1 < len(lines):
            longer = f"{call.arguments[0]} {lines[i + 1].arguments[0].split()[0]}"
            assert measure.textlength(longer, font) > room


def test_a_word_wider_than_the_page_has_a_line_of_its_own(calls: list[Call]) -> None:
    words = f"Put {'x' * 240} away."
    lines, _ = caption(calls, after(replace(FETCH, instruction=words)))
    assert [call.arguments[0] for call in lines] == words.split()


@pytest.mark.parametrize(
    ("skills", "rules", "status", "bad"),
    [
        ((), {}, "Step 0 of 32   |   The episode begins.",
         False),
        (("nav(sofa)", "pick(mug)"), {},
         "Step 2 of 32   |   You picked up a mug.", False),
        (("nav(sofa)", "pick(apple)"), {"horizon": 9},
         "Step 2 of 9   |   You could not pick up an apple: you cannot reach one from here.", True),
        (("nav(sofa)", "pick(mug)", "nav(sink)", "place(sink)"), {},
         "Step 4 of 32   |   You put the mug in the sink.   |   SUCCESS", False),
        (("nav(sofa)",), {"horizon": 1},
         "Step 1 of 1   |   You went to the sofa.   |   FAILED", False),
    ],
)  # fmt: skip
def test_the_status_tells_step_action_outcome_and_end(
    calls: list[Call], skills: tuple[str, ...], rules: dict[str, int], status: str, bad: bool
) -> None:
    _, line = caption(calls, after(FETCH, *skills, **rules))
    assert line.where == (MARGIN, HEIGHT - 30)
    assert line.arguments[0] == status
    assert line.arguments[1] == ((170, 40, 30) if bad else (112, 116, 124))


def test_the_first_thing_of_an_episode_is_held_like_any_other(calls: list[Call]) -> None:
    task = after(replace(FETCH, objects=FETCH.objects[1:]), "nav(sofa)", "pick(mug)")
    assert task.state.held == 0
    assert "picked up a mug" in caption(calls, task)[1].arguments[0]
    calls.clear()
    draw_map(task)
    filled = [call for call in calls if call.name == "ellipse" and call.arguments[0] == THING]
    assert len(filled) == 2, "the pear on the sofa and the mug in the hand"


def test_camera_and_map_stand_side_by_side() -> None:
    drawer = Picture(EnvConfig(observation="state"))
    task = after(FETCH, "nav(sofa)")
    page = drawer.draw(task)
    top = slice(MARGIN, MARGIN + VIEW)
    plan = page[top, VIEW + 2 * MARGIN : 2 * VIEW + 2 * MARGIN]
    assert np.array_equal(plan, np.array(draw_map(task)))
    view = page[top, MARGIN : MARGIN + VIEW]
    assert len(np.unique(view.reshape(-1, 3), axis=0)) > 100
    paper = np.array((250, 250, 248))
    assert (page[:MARGIN] == paper).all()
    assert (page[:, :MARGIN] == paper).all()
    assert (page[top, MARGIN + VIEW : 2 * MARGIN + VIEW] == paper).all()
    # The household stays loaded while its episode is played, and another one is loaded.
    moved = drawer.draw(after(FETCH, "nav(sink)"))[top, MARGIN : MARGIN + VIEW]
    assert not np.array_equal(moved, view)
    again = drawer.draw(after(FETCH, "nav(sofa)"))[top, MARGIN : MARGIN + VIEW]
    assert np.array_equal(again, view)
    other = drawer.draw(after(replace(FETCH, objects=FETCH.objects[:1]), "nav(sofa)"))
    assert not np.array_equal(other[top, MARGIN : MARGIN + VIEW], view)
    drawer.close()


@pytest.mark.parametrize("kind", ["single", "vector"])
def test_closing_an_env_closes_the_picture_that_it_drew(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    events: list[str] = []

    class Noted(Picture):
        def __init__(self, config: EnvConfig) -> None:
            super().__init__(config)
            events.append("made")

        def close(self) -> None:
            super().close()
            events.append("closed")

    monkeypatch.setattr(picture, "Picture", Noted)
    options: dict[str, Any] = {
        "episodes": [FETCH], "observation": "state", "render_mode": "rgb_array",
    }  # fmt: skip
    make = gym.make if kind == "single" else gym.make_vec
    env: Any = make("LangRearrange-v0", **options)
    env.reset(seed=0)
    assert events == []
    env.render()
    env.render()
    assert events == ["made"]
    env.close()
    assert events == ["made", "closed"]
    env.unwrapped.close()
    assert events == ["made", "closed"], "once is enough"
