"""A Python with a made-up habitat_sim, to test what lies between: wire, memory, death. No scenes.

Its pictures are one number everywhere: how many things were loaded, or were moved so far.
"""

from __future__ import annotations

import sys
from pathlib import Path

MAGNUM = "import numpy\nMatrix4 = numpy.array\n"

HABITAT_SIM = """
import os, types
import numpy as np

__version__ = "fake"
print("habitat_sim says hello on stdout")

class Settings:
    pass

class Simulator:
    metadata_mediator = None
    def __init__(self, configuration):
        assert os.path.isfile("data/default.pbr_config.json"), os.getcwd()
        settings, agents = configuration
        assert (settings.scene_id, settings.enable_physics) == ("NONE", True)
        self.gpu_device = settings.gpu_device_id
        self.agents = [types.SimpleNamespace(scene_node=types.SimpleNamespace())]
        self._sensors = {}
        self.manager = Manager()
        for spec in agents[0].sensor_specifications:
            self.add_sensor(spec)
    _sensors = None
    def add_sensor(self, spec):
        self._sensors[spec.uuid] = Sensor(self, spec)
    def get_rigid_object_manager(self): return self.manager
    def get_articulated_object_manager(self): return self.manager
    def get_object_template_manager(self): return self.manager
    def close(self): pass

class MetadataMediator:
    ao_template_manager = None
Simulator.metadata_mediator = types.SimpleNamespace(ao_template_manager=None)

class Manager:
    def __init__(self):
        self.files, self.moves, self.things = [], 0, {}
        Simulator.metadata_mediator.ao_template_manager = self
    def load_configs(self, path):
        self.files.append(path)
        return [len(self.files) - 1]
    def get_template_handle_by_id(self, number): return self.files[number]
    def add_object_by_template_handle(self, handle, light_setup_key):
        if "poison" in handle:
            os._exit(7)
        if "unfit" in handle:
            return None
        thing = Thing(self, handle)
        self.things[thing.object_id] = thing
        return thing
    add_articulated_object_by_template_handle = add_object_by_template_handle
    def remove_object_by_id(self, number): del self.things[number]

class Thing:
    number = 0
    def __init__(self, manager, handle):
        Thing.number += 1
        self.joint_positions = np.zeros(8)
        self.object_id, self.manager, self.is_alive = Thing.number, manager, True
        self.visual_scene_nodes = [types.SimpleNamespace() for _ in range(200)]
    def __setattr__(self, name, value):
        if name in ("transformation", "joint_positions") and "manager" in self.__dict__:
            self.manager.moves += 1
        object.__setattr__(self, name, value)
    def get_link_ids(self): return list(range(8))
    def get_link_name(self, link): return "link%d" % link
    def get_link_visual_nodes(self, link): return []
    def get_link_num_joint_pos(self, link): return 1
    def get_link_joint_pos_offset(self, link): return link

class Sensor:
    def __init__(self, sim, spec):
        self.sim, self.spec = sim, spec
    def draw_observation(self): pass
    def get_observation(self):
        size = tuple(self.spec.resolution)
        if self.spec.sensor_type == "color":
            return np.full((*size, 4), len(self.sim.manager.things) % 256, np.uint8)
        if self.spec.sensor_type == "depth":
            return np.full(size, self.sim.manager.moves, np.float32)
        return np.full(size, len(self.sim.manager.things), np.uint32)

class SensorType:
    COLOR, DEPTH, SEMANTIC = "color", "depth", "semantic"

class CameraSensorSpec: pass
SimulatorConfiguration = Settings
Configuration = lambda settings, agents: (settings, agents)
agent = types.SimpleNamespace(AgentConfiguration=Settings)
physics = types.SimpleNamespace(MotionType=types.SimpleNamespace(KINEMATIC=1))
gfx = types.SimpleNamespace(NO_LIGHT_KEY="no_lights")
metadata = types.SimpleNamespace(MetadataMediator=MetadataMediator)
"""


def fake_python(folder: Path, habitat_sim: str = HABITAT_SIM) -> str:
    """Return the path of an interpreter that finds this habitat_sim and a magnum beside it."""
    modules = folder / "modules"
    modules.mkdir(parents=True)
    (modules / "habitat_sim.py").write_text(habitat_sim)
    (modules / "magnum.py").write_text(MAGNUM)
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{modules}" exec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    return str(script)
