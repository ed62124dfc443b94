"""The views that golden frames pin: one per kind of thing that may change a pixel."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

import numpy as np
from household import household

from langrearrange.sim import Frame
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.world.vocabulary import IN_HAND, NAV_INDEX, RECEPTACLE_INDEX, START

SIZE: Final = 160


class View(NamedTuple):
    house: str
    place: str
    open_mask: int = 0
    holds_from: str = ""
    quality: str = "default"
    camera: str = "default"


VIEWS: Final = {
    "start": View("flat_0_00", "start"),
    "sofa": View("flat_1_04", "sofa"),
    "brown_table_plain": View("flat_2_09", "brown_table", quality="plain"),
    "black_table_supersampled": View("flat_3_13", "black_table", quality="supersampled"),
    "left_drawer_open": View("flat_4_17", "left_drawer", 0b11111),
    "fridge_open": View("flat_0_20", "fridge", 0b00001),
    "sink_holding": View("flat_1_12", "sink", holds_from="chair"),
    "tv_stand_habitat": View("flat_2_02", "tv_stand", camera="habitat"),
}


def draw(view: View) -> Frame:
    """Return the frame of a view: colour, depth and segmentation."""
    home = household(view.house, seed=1)
    place = START if view.place == "start" else NAV_INDEX[view.place]
    state = home.state._replace(place=place, open_mask=view.open_mask)
    if view.holds_from:
        held = state.receptacles.index(RECEPTACLE_INDEX[view.holds_from])
        receptacles = tuple(IN_HAND if i == held else r for i, r in enumerate(state.receptacles))
        state = state._replace(held=held, receptacles=receptacles)
    simulator = EmbeddedSimulator(view.camera, view.quality)
    simulator.load(home.house, home.objects, home.start)
    simulator.show(state)
    frame = Frame(
        np.zeros((SIZE, SIZE, 3), np.uint8),
        np.zeros((SIZE, SIZE), np.float32),
        np.zeros((SIZE, SIZE), np.int32),
    )
    simulator.render(simulator.head_camera(), frame)
    return frame


def digests(frame: Frame) -> dict[str, str]:
    """Return the sha256 of each of a frame's buffers."""
    buffers = {"rgb": frame.rgb, "depth": frame.depth, "segmentation": frame.segmentation}
    return {
        name: hashlib.sha256(buffer.tobytes()).hexdigest()
        for name, buffer in buffers.items()
        if buffer is not None
    }
