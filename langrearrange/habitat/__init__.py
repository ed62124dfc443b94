"""Everything of Habitat: its data read, our flats exported, habitat_sim as a second simulator.

The only room that knows Habitat's formats. Those below find it by name: `simulator="habitat"` and
homes whose ids begin with `official_`.
"""

from langrearrange.habitat.data.folders import DATA_VARIABLE, find_habitat_data
from langrearrange.habitat.export.flats import export_habitat
from langrearrange.habitat.export.rearrange import export_rearrange
from langrearrange.habitat.homes import ReplicaCadSource
from langrearrange.habitat.simulator.places import PYTHON_VARIABLE
from langrearrange.habitat.simulator.simulator import HabitatSimulator

__all__ = [
    "DATA_VARIABLE",
    "PYTHON_VARIABLE",
    "HabitatSimulator",
    "ReplicaCadSource",
    "export_habitat",
    "export_rearrange",
    "find_habitat_data",
]
