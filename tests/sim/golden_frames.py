"""The views that golden frames pin: one per kind of thing that may change a pixel."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from household import Seen, household, look

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


def draw(view: View) -> Seen:
    """Return what the camera of a view sees."""
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
    return look(simulator, size=SIZE)


def digests(frame: Seen) -> dict[str, str]:
    """Return the sha256 of each of a frame's buffers."""
    buffers = frame._asdict().items()
    return {name: hashlib.sha256(buffer.tobytes()).hexdigest() for name, buffer in buffers}
