"""Labels of a picture from the simulator. No scenes, no network.

They come from the `state` observation (what is in reach) and the segmentation (what is in the
picture and where), so that nothing is labelled by hand.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.env.state_observation import known_openables, visible_counts
from langrearrange.houses import House
from langrearrange.sim.protocol import SEGMENT_PART, SEGMENT_ROBOT
from langrearrange.world import Layout, WorldState, vocabulary

NUM_HELD: Final = vocabulary.NUM_CATEGORIES + 1
"""Categories in the hand, and the empty hand (last)."""
NUM_SPOTS: Final = len(vocabulary.SPOTS) + 1
"""Spots of the robot, and the start pose (last)."""
NUM_OPEN: Final = 3
"""Nothing opens at this spot, closed, open."""
OTHER: Final = vocabulary.NUM_CATEGORIES + len(vocabulary.RECEPTACLES)
ROBOT: Final = OTHER + 1
NUM_CELL_CLASSES: Final = ROBOT + 1
"""Of a cell of the grid: 33 categories, 11 receptacles, anything else, the robot."""
CELL_PX: Final = 16
"""Side of a cell of the grid, in pixels of the network's input."""

_HELD_CLASS: Final = NUM_CELL_CLASSES
_STRIDE: Final = 2
_MIN_CELL_SHARE: Final = 0.04
"""An object that covers this share of a cell gives it its label, whatever is behind."""


class Labels(NamedTuple):
    """Labels of n pictures.

    Attributes:
        in_view: (n, 33) bool: the category has pixels in the picture (the held object aside).
        at_stance: (n, 33) bool: it is in reach and not in a closed container.
        pixels: (n, 33) int32: number of pixels of its objects *in reach*; 0: wholly hidden.
        held: (n,) int64, category in the hand, 33 for none.
        spot: (n,) int64, index into `SPOTS`, 13 for the start pose.
        opened: (n,) int64: 0 nothing opens at this spot, 1 closed, 2 open.
        cells: (n, g, g) int64, class of each cell of the grid.
    """

    in_view: NDArray[np.bool_]
    at_stance: NDArray[np.bool_]
    pixels: NDArray[np.int32]
    held: NDArray[np.int64]
    spot: NDArray[np.int64]
    opened: NDArray[np.int64]
    cells: NDArray[np.int64]


def label(
    house: House, layout: Layout, state: WorldState, segmentation: NDArray[np.int32]
) -> Labels:
    """Return the labels of one picture, with a leading axis of 1.

    Args:
        house: where it was taken.
        layout: of its objects.
        state: of the world.
        segmentation: (size, size) int32 as `Frame` has it; size a multiple of 16.
    """
    size = segmentation.shape[0]
    side, step = size // CELL_PX, CELL_PX // _STRIDE
    sampled = segmentation[::_STRIDE, ::_STRIDE]
    classes = _lookup(house, layout, state)[sampled + 1]
    cell = np.repeat(np.arange(side), step)
    keys = (cell[:, None] * side + cell[None]) * (NUM_CELL_CLASSES + 1) + classes
    counts = np.bincount(keys.ravel(), minlength=side * side * (NUM_CELL_CLASSES + 1))
    counts = counts.reshape(side * side, NUM_CELL_CLASSES + 1)
    in_view = counts[:, : vocabulary.NUM_CATEGORIES].sum(0) > 0
    held = layout.categories[state.held] if state.held >= 0 else vocabulary.NUM_CATEGORIES
    if state.held >= 0:
        counts[:, held] += counts[:, _HELD_CLASS]
    things = counts[:, : vocabulary.NUM_CATEGORIES]
    covered = things.max(1) >= _MIN_CELL_SHARE * step * step
    cells = np.where(covered, things.argmax(1), counts[:, :NUM_CELL_CLASSES].argmax(1))
    opened = max(known_openables(layout, state), key=abs)
    return Labels(
        in_view=in_view[None],
        at_stance=(np.frombuffer(visible_counts(layout, state), np.uint8) > 0)[None],
        pixels=_pixels_in_reach(layout, state, segmentation)[None],
        held=np.array([held]),
        spot=np.array([vocabulary.SPOT_OF_PLACE[state.place]]),
        opened=np.array([{0: 0, -1: 1, 1: 2}[opened]]),
        cells=cells.reshape(1, side, side).astype(np.int64),
    )


def stack(labels: list[Labels]) -> Labels:
    """Return the labels of all, one after the other."""
    return Labels(*(np.concatenate(column) for column in zip(*labels, strict=True)))


def _lookup(house: House, layout: Layout, state: WorldState) -> NDArray[np.int64]:
    """Return segmentation value + 1 -> class."""
    table = np.full(SEGMENT_ROBOT + 2, OTHER, np.int64)
    table[1 : 1 + layout.num_objects] = layout.categories
    if state.held >= 0:
        table[1 + state.held] = _HELD_CLASS
    for index, part in enumerate(house.parts):
        if part.semantic in vocabulary.RECEPTACLE_INDEX:
            known = vocabulary.NUM_CATEGORIES + vocabulary.RECEPTACLE_INDEX[part.semantic]
            table[1 + SEGMENT_PART + index] = known
    table[1 + SEGMENT_ROBOT] = ROBOT
    return table


def _pixels_in_reach(
    layout: Layout, state: WorldState, segmentation: NDArray[np.int32]
) -> NDArray[np.int32]:
    of_object = np.bincount(
        segmentation[(segmentation >= 0) & (segmentation < layout.num_objects)],
        minlength=layout.num_objects,
    )
    pixels = np.zeros(vocabulary.NUM_CATEGORIES, np.int32)
    reach = layout.reach[state.place]
    for index, receptacle in enumerate(state.receptacles):
        if index != state.held and reach >> receptacle & 1:
            pixels[layout.categories[index]] += of_object[index]
    return pixels
