"""The picture that `render()` returns: head camera, map from above and the sentence. For people.

Not an observation: the map shows information that agents do not receive.
"""

import math
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from langrearrange.dataset.episode import Episode
from langrearrange.env.config import EnvConfig
from langrearrange.env.task import Task
from langrearrange.env.text_observation import feedback
from langrearrange.houses import House, Pose2D, get_house, slot_pose
from langrearrange.sim import Frame, load_episode, start_pose
from langrearrange.world import CLOSED_RECEPTACLES, vocabulary

VIEW: Final = 448
"""Height and width of the camera's picture and of the map, pixels."""
_MARGIN: Final = 16
_CAPTION: Final = 92
WIDTH: Final = 2 * VIEW + 3 * _MARGIN
HEIGHT: Final = VIEW + _CAPTION + 2 * _MARGIN
CAPTION_TOP: Final = VIEW + _MARGIN
"""First row of the sentence below camera and map."""

Colour = tuple[int, int, int]
_PAPER: Final[Colour] = (250, 250, 248)
_INK: Final[Colour] = (34, 36, 40)
_FAINT: Final[Colour] = (112, 116, 124)
_FLOOR: Final[Colour] = (238, 234, 226)
_WALL: Final[Colour] = (96, 100, 108)
_FURNITURE: Final[Colour] = (206, 214, 224)
_THING: Final[Colour] = (213, 94, 0)
_ROBOT: Final[Colour] = (0, 114, 178)
_START: Final[Colour] = (0, 158, 115)
_BAD: Final[Colour] = (170, 40, 30)


class _Scale(NamedTuple):
    """House millimetres -> map pixels; y runs up the page."""

    factor: float
    left: float
    bottom: float

    def point(self, x_mm: float, y_mm: float) -> tuple[float, float]:
        return self.left + x_mm * self.factor, self.bottom - y_mm * self.factor


class Picture:
    """Draws tasks, one after the other; keeps the household of the one drawn last."""

    def __init__(self, config: EnvConfig) -> None:
        self._simulator = config.make_simulator()
        self._loaded: Episode | None = None

    def draw(self, task: Task) -> NDArray[np.uint8]:
        """Return the picture of this moment, shape (HEIGHT, WIDTH, 3), uint8, in a fresh array."""
        page = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
        page.paste(Image.fromarray(self._view(task)), (_MARGIN, _MARGIN))
        page.paste(draw_map(task), (VIEW + 2 * _MARGIN, _MARGIN))
        _caption(ImageDraw.Draw(page), task)
        return np.array(page)

    def close(self) -> None:
        """Free the simulator; harmless when called twice."""
        self._simulator.close()
        self._loaded = None

    def _view(self, task: Task) -> NDArray[np.uint8]:
        simulator, episode = self._simulator, task.episode
        if self._loaded is not episode:
            load_episode(simulator, episode)
            self._loaded = episode
        simulator.show(task.state)
        rgb = np.empty((VIEW, VIEW, 3), np.uint8)
        simulator.render(simulator.head_camera(), Frame(rgb=rgb))
        return rgb


def draw_map(task: Task) -> Image.Image:
    """Return the flat from above, VIEW x VIEW: furniture, things, the robot and where it began.

    Things in closed containers are rings, all others dots.
    """
    house = get_house(task.episode.house)
    scale = _scale(house)
    page = _plan(house).copy()
    draw = ImageDraw.Draw(page)
    closed = CLOSED_RECEPTACLES[task.state.open_mask]
    spots = zip(task.state.receptacles, task.state.slots, strict=True)
    for receptacle, slot in spots:
        if receptacle >= len(vocabulary.RECEPTACLES):
            continue  # held: drawn at the robot
        pose = slot_pose(house, vocabulary.RECEPTACLES[receptacle], slot, task.state.open_mask)
        x, y = scale.point(1000 * float(pose[0, 3]), 1000 * float(pose[1, 3]))
        hidden = closed >> receptacle & 1
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), None if hidden else _THING, _THING, width=2)
    start = start_pose(task.episode)
    x, y = scale.point(start.x_mm, start.y_mm)
    draw.ellipse((x - 5, y - 5, x + 5, y + 5), None, _START, width=2)
    base = start if task.state.place == vocabulary.START else house.stance(task.state.place)
    _robot(draw, scale, base, holding=task.state.held >= 0)
    _labels(draw, house, scale)  # last: the robot stands where they are
    return page


def _robot(draw: ImageDraw.ImageDraw, scale: _Scale, base: Pose2D, *, holding: bool) -> None:
    x, y = scale.point(base.x_mm, base.y_mm)
    yaw = base.yaw_mrad / 1000
    corners = [
        (x + 15 * math.cos(yaw + turn) * long, y - 15 * math.sin(yaw + turn) * long)
        for turn, long in ((0.0, 1.0), (2.5, 0.8), (math.pi, 0.35), (-2.5, 0.8))
    ]
    draw.polygon(corners, _ROBOT, _PAPER)
    if holding:
        hand = (x + 20 * math.cos(yaw), y - 20 * math.sin(yaw))
        draw.ellipse((hand[0] - 4, hand[1] - 4, hand[0] + 4, hand[1] + 4), _THING)


@lru_cache(maxsize=8)
def _plan(house: House) -> Image.Image:
    """Return what lies below everything else on the map: floor, walls, furniture."""
    scale = _scale(house)
    page = Image.new("RGB", (VIEW, VIEW), _PAPER)
    draw = ImageDraw.Draw(page)
    width, height = house.size_mm
    draw.rectangle((*scale.point(0, height), *scale.point(width, 0)), _FLOOR)
    boxes = [
        (label, (*scale.point(x0, y1), *scale.point(x1, y0)))
        for label, x0, y0, x1, y1 in house.outlines
    ]
    for label, box in sorted(boxes, key=lambda one: one[0] == "wall"):
        draw.rectangle(box, *((_WALL, None) if label == "wall" else (_FURNITURE, _FAINT)))
    return page


def _labels(draw: ImageDraw.ImageDraw, house: House, scale: _Scale) -> None:
    for label, x0, y0, x1, y1 in house.outlines:
        if label in vocabulary.RECEPTACLES:
            stance = house.stances[label]
            box = (*scale.point(x0, y1), *scale.point(x1, y0))
            _label(draw, vocabulary.english(label), box, scale.point(stance.x_mm, stance.y_mm))


def _label(
    draw: ImageDraw.ImageDraw,
    words: str,
    furniture: tuple[float, float, float, float],
    stance: tuple[float, float],
) -> None:
    """Write a name beside the furniture, on the side where one stands, so that things stay free."""
    left, top, right, bottom = furniture
    lines = words.replace(" ", "\n")
    box = draw.multiline_textbbox((0, 0), lines, font=_font(11), spacing=1)
    width, height = box[2], box[3]
    dx, dy = stance[0] - (left + right) / 2, stance[1] - (top + bottom) / 2
    if abs(dx) > abs(dy):
        x, y = (right + 3 if dx > 0 else left - width - 3), (top + bottom - height) / 2
    else:
        x, y = (left + right - width) / 2, (bottom + 2 if dy > 0 else top - height - 4)
    draw.multiline_text(
        (x, y),
        lines,
        _INK,
        _font(11),
        align="center",
        spacing=1,
        stroke_width=2,
        stroke_fill=_FLOOR,
    )


def _caption(draw: ImageDraw.ImageDraw, task: Task) -> None:
    words, width = task.episode.instruction, WIDTH - 2 * _MARGIN
    size, lines = 20, _wrapped(draw, words, 20, width)
    if len(lines) > 2:
        size, lines = 14, _wrapped(draw, words, 14, width)
    top = CAPTION_TOP + 10
    for line in lines:
        draw.text((_MARGIN, top), line, _INK, _font(size))
        top += round(size * 1.3)
    bad = task.outcome.invalid
    draw.text((_MARGIN, HEIGHT - 30), _status(task), _BAD if bad else _FAINT, _font(15))


def _status(task: Task) -> str:
    end = "success" if task.success else "failed" if task.over else ""
    words = (f"Step {task.steps} of {task.rules.horizon}", feedback(task), end.upper())
    return "   |   ".join(word for word in words if word)


def _wrapped(draw: ImageDraw.ImageDraw, words: str, size: int, width: int) -> list[str]:
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, _font(size)) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _scale(house: House) -> _Scale:
    width, height = house.size_mm
    factor = (VIEW - 2) / max(width, height)
    return _Scale(factor, (VIEW - width * factor) / 2, (VIEW + height * factor) / 2)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
