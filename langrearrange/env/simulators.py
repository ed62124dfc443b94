"""Which simulator draws an env's pictures, embedded or Habitat. Not what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from langrearrange.env.config import EnvConfig
from langrearrange.sim import Frame, Simulator


class BodySimulator(Simulator, Protocol):
    """A simulator that also tells the angles of the robot's joints."""

    @property
    def joints(self) -> NDArray[np.float32]:
        """(7,) float32, rad."""
        ...


def make_simulator(config: EnvConfig) -> BodySimulator:
    """Return a new simulator as the env's arguments ask for; HabitatError where it cannot be."""
    if config.simulator == "habitat":
        from langrearrange.habitat import HabitatSimulator

        return HabitatSimulator(
            config.camera, config.habitat_python, config.habitat_data, config.habitat_gpu
        )
    from langrearrange.sim.embedded import EmbeddedSimulator

    return EmbeddedSimulator(config.camera)


def draw_heads(
    config: EnvConfig,
    simulators: Sequence[BodySimulator],
    frames: Sequence[Frame] | NDArray[np.uint8],
    threads: int,
) -> None:
    """Draw the head cameras of simulators that `make_simulator` made, as many at once as can be.

    Args:
        config: that they were made with.
        simulators: n of them.
        frames: n frames, or one (n, height, width, 3) uint8 array for the colours alone.
        threads: of the embedded renderer; Habitat's workers draw side by side anyway.
    """
    if config.simulator == "habitat":
        from langrearrange.habitat.simulator import simulator as habitat

        habitat.render_batch(cast("list[habitat.HabitatSimulator]", simulators), frames)
        return
    from langrearrange.sim import embedded

    embedded.render_batch(
        cast("list[embedded.EmbeddedSimulator]", simulators), frames, threads=threads
    )
