"""A furnished flat with things everywhere, for the simulator's tests."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.episode import ObjectPlacement
from langrearrange.houses import House, Pose2D, assign_slots, draw_yaw, get_house
from langrearrange.houses.models import MODELS
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.sim import Camera, Frame, Simulator
from langrearrange.world import Layout, WorldState, initial_state
from langrearrange.world.vocabulary import CATEGORY_INDEX, RECEPTACLE_INDEX, RECEPTACLES


class Household(NamedTuple):
    house: House
    objects: tuple[ObjectPlacement, ...]
    start: Pose2D
    state: WorldState
    layout: Layout


class Seen(NamedTuple):
    """Everything that a camera sees, as in `Frame`."""

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    segmentation: NDArray[np.int32]


def blank(size: int = 96) -> Seen:
    """Return buffers filled with what no simulator draws."""
    return Seen(
        np.full((size, size, 3), 9, np.uint8),
        np.full((size, size), np.nan, np.float32),
        np.full((size, size), -9, np.int32),
    )


def look(simulator: Simulator, camera: Camera | None = None, size: int = 96) -> Seen:
    """Draw what a camera sees; None: the robot's head."""
    seen = blank(size)
    simulator.render(camera or simulator.head_camera(), Frame(*seen))
    return seen


def household(house_id: str = "flat_0_00", seed: int = 0, per_receptacle: int = 2) -> Household:
    """Return a flat whose receptacles hold a few random models each."""
    house, rng = get_house(house_id), KeyedRng(HOUSE_VERSION, "tests", house_id, seed)
    models = rng.sample(list(MODELS), per_receptacle * len(RECEPTACLES))
    objects = []
    for index, receptacle in enumerate(RECEPTACLES):
        here = models[index * per_receptacle : (index + 1) * per_receptacle]
        for model, slot in zip(here, assign_slots(house, receptacle, here, rng), strict=True):
            objects.append(
                ObjectPlacement(
                    id=f"{model}_0",
                    category=MODELS[model].category,
                    model=model,
                    receptacle=receptacle,
                    slot=slot,
                    yaw=draw_yaw(house, receptacle, model, rng),
                )
            )
    state = initial_state(
        [RECEPTACLE_INDEX[thing.receptacle] for thing in objects],
        [thing.slot for thing in objects],
        0,
    )
    layout = Layout(tuple(CATEGORY_INDEX[thing.category] for thing in objects))
    return Household(house, tuple(objects), house.draw_start(rng), state, layout)
