"""Pictures of flats and models for people: bird's-eye views, room views, contact sheets.

Not what a robot sees (see `simulator`); arrays come out, saving them is the caller's business.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from langrearrange.errors import UsageError
from langrearrange.houses import House, Pose2D, get_house
from langrearrange.houses.flats import furnishing_of
from langrearrange.sim.camera import Vector, look_at
from langrearrange.sim.embedded.simulator import EmbeddedSimulator
from langrearrange.sim.protocol import Camera, Frame
from langrearrange.world import initial_state

Picture = NDArray[np.uint8]
"""(height, width, 3) uint8."""

_NOWHERE: Final = Pose2D(-50_000, -50_000, 0)
"""Where the robot waits while flats are photographed."""
_CLEAR_M: Final = 1.0
"""Free floor around the photographer: nearer furniture would fill a corner of the picture."""
_LABEL_PX: Final = 14
_PAPER: Final = (250, 250, 248)
_INK: Final = (40, 40, 44)


def bird_view(house_id: str, size_px: int = 512) -> Picture:
    """Return a flat seen from above, a little from the front, without its ceilings.

    Args:
        house_id: a flat.
        size_px: height and width.
    """
    house = get_house(house_id)
    width, depth = (value / 1000 for value in house.size_mm)
    height = 1.12 * max(width, depth) + 1.9
    eye = Vector(width / 2, depth / 2 - 0.28 * height, height)
    return _photograph(house, look_at(eye, Vector(width / 2, depth / 2 + 0.35, 0.0), 50.0), size_px)


def room_view(house_id: str, size_px: int = 512) -> Picture:
    """Return the room with most furniture, seen at eye level from its emptiest spot."""
    house, design = get_house(house_id), furnishing_of(house_id)
    boxes = [[side / 1000 for side in piece.footprint] for piece in design.pieces.values()]
    by_room: dict[str, list[tuple[float, float]]] = {}
    for piece in design.pieces.values():
        x0, y0, x1, y1 = piece.footprint
        if piece.kind.name != "kitchen":
            by_room.setdefault(piece.room, []).append(((x0 + x1) / 2000, (y0 + y1) / 2000))
    room = max(sorted(by_room), key=lambda name: len(by_room[name]))
    middle = np.mean(by_room[room], axis=0)
    inside = design.plan.rooms[room]
    cells = [
        (x / 1000, y / 1000)
        for x, y in house.start_cells
        if inside.x0 < x < inside.x1 and inside.y0 < y < inside.y1
    ]
    free = [cell for cell in cells if min(_gap(cell, box) for box in boxes) > _CLEAR_M]
    far = max(free or cells, key=lambda c: (c[0] - middle[0]) ** 2 + (c[1] - middle[1]) ** 2)
    eye = Vector(far[0], far[1], 1.55)
    return _photograph(house, look_at(eye, Vector(middle[0], middle[1], 0.55), 78.0), size_px)


def _gap(point: tuple[float, float], box: Sequence[float]) -> float:
    """Return the distance of a point from a box x0, y0, x1, y1, all in metres."""
    x = max(box[0] - point[0], 0.0, point[0] - box[2])
    y = max(box[1] - point[1], 0.0, point[1] - box[3])
    return math.hypot(x, y)


def _photograph(house: House, camera: Camera, size_px: int) -> Picture:
    simulator = EmbeddedSimulator(quality="supersampled")
    simulator.load(house, (), _NOWHERE)
    simulator.show(initial_state([], [], 0))
    frame = Frame(rgb=np.zeros((size_px, size_px, 3), np.uint8))
    simulator.render(camera, frame)
    assert frame.rgb is not None
    return frame.rgb


def flats_sheet(house_ids: Sequence[str], columns: int = 6, size_px: int = 240) -> Picture:
    """Return a contact sheet: every flat from above and from inside, its id below.

    Args:
        house_ids: which flats, row by row.
        columns: flats in a row.
        size_px: height of a picture; each flat takes two side by side.
    """
    tiles = [
        np.concatenate([bird_view(h, size_px), room_view(h, size_px)], axis=1) for h in house_ids
    ]
    return contact_sheet(tiles, list(house_ids), columns)


def contact_sheet(pictures: Sequence[Picture], labels: Sequence[str], columns: int) -> Picture:
    """Return pictures of one size laid out in rows, each with its label below.

    Raises:
        UsageError: no pictures, different sizes, or not one label each.
    """
    shapes = {picture.shape for picture in pictures}
    if len(shapes) != 1 or len(labels) != len(pictures) or columns < 1:
        raise UsageError(
            f"a contact sheet needs pictures of one size with one label each and a column at "
            f"least; got {len(pictures)} pictures of sizes {sorted(shapes)}, {len(labels)} labels "
            f"and {columns} columns"
        )
    height, width, _ = next(iter(shapes))
    rows = -(-len(pictures) // columns)
    columns = min(columns, len(pictures))
    cell = (width + 4, height + _LABEL_PX + 4)
    sheet = Image.new("RGB", (columns * cell[0], rows * cell[1]), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for index, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        x, y = index % columns * cell[0] + 2, index // columns * cell[1] + 2
        sheet.paste(Image.fromarray(picture), (x, y))
        pen.text((x + 3, y + height + 1), label, fill=_INK)
    return np.asarray(sheet).copy()
