"""Habitat as a second simulator: habitat_sim itself, here or in a worker of its own environment."""

from langrearrange.sim.habitat.places import PYTHON_VARIABLE, open_backend
from langrearrange.sim.habitat.simulator import HabitatSimulator, render_batch

__all__ = ["PYTHON_VARIABLE", "HabitatSimulator", "open_backend", "render_batch"]
