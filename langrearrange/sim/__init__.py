"""Simulators: where things are and what a camera sees of them. No task logic lives here.

The embedded simulator is imported from `langrearrange.sim.embedded`, so that state and text
observations never need the compiled renderer.
"""

from langrearrange.sim.camera import CAMERA_PRESETS, HFOV_DEG, head_camera, look_at
from langrearrange.sim.protocol import SEGMENT_PART, SEGMENT_ROBOT, Camera, Frame, Simulator
from langrearrange.sim.registry import SIMULATORS, make_simulator
from langrearrange.sim.robot import NUM_JOINTS
from langrearrange.sim.scene import Scene, load_episode, start_pose
from langrearrange.sim.scene_simulator import SceneSimulator

__all__ = [
    "CAMERA_PRESETS",
    "HFOV_DEG",
    "NUM_JOINTS",
    "SEGMENT_PART",
    "SEGMENT_ROBOT",
    "SIMULATORS",
    "Camera",
    "Frame",
    "Scene",
    "SceneSimulator",
    "Simulator",
    "head_camera",
    "load_episode",
    "look_at",
    "make_simulator",
    "start_pose",
]
