"""A posable scene in habitat_sim: rigid and articulated assets, a camera, pictures. No flats here.

Runs in the user's Habitat environment as well as in ours: Python 3.9 syntax, the standard library,
numpy and habitat_sim, nothing of this package. Poses are (4, 4) matrices, y up, metres.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

NEAR_M = 0.05
FAR_M = 100.0
BACKGROUND = (205 / 255, 216 / 255, 226 / 255, 1.0)
"""Colour where nothing is, as the embedded renderer has it."""
KINDS = ("rgb", "depth", "segmentation")

_PBR_CONFIG = {"enable_ibl": False, "ibl_envmap_filename": "none.hdr"}
"""Habitat filters an environment map for physically based materials at every start, 17 s on a CPU;
naming a file that does not exist skips it. Flat materials, as ours are, never look at it."""

_NEEDED = (
    ("", "Simulator SimulatorConfiguration Configuration CameraSensorSpec SensorType"),
    ("agent", "AgentConfiguration"),
    ("physics", "MotionType"),
    ("gfx", "NO_LIGHT_KEY"),
    (
        "Simulator",
        "add_sensor _sensors close get_rigid_object_manager get_articulated_object_manager "
        "get_object_template_manager metadata_mediator",
    ),
    ("metadata.MetadataMediator", "ao_template_manager"),
)
"""What is called; asked for by name, since versions do not tell (0.3.4 calls itself 0.3.3)."""


class EngineError(Exception):
    """What went wrong in or around habitat_sim, as one sentence."""


def find_habitat() -> Any:
    """Return the module habitat_sim, complete enough for us.

    Raises:
        EngineError: it is not installed, does not load, or lacks something that is called.
    """
    os.environ.setdefault("MAGNUM_LOG", "quiet")
    os.environ.setdefault("HABITAT_SIM_LOG", "quiet")
    try:
        import habitat_sim
    except ModuleNotFoundError as error:
        if error.name == "habitat_sim":
            raise EngineError("the Python module 'habitat_sim' is not installed there") from None
        raise EngineError(f"habitat_sim does not load: {error}") from error
    except Exception as error:
        # A broken binary raises whatever its loader does; a user needs it as one sentence, too.
        raise EngineError(f"habitat_sim does not load: {type(error).__name__}: {error}") from error
    missing = list(_lacking(habitat_sim))
    if missing:
        version = getattr(habitat_sim, "__version__", "unknown")
        raise EngineError(
            f"this habitat_sim (it calls itself {version}) lacks {', '.join(missing)}, which is "
            "needed; 0.3.4 has it"
        )
    return habitat_sim


def _lacking(module: Any) -> Iterator[str]:
    """Yield the dotted names that are needed and not there."""
    for owner, names in _NEEDED:
        holder = module
        for step in owner.split(".") if owner else ():
            holder = getattr(holder, step, None)
        for name in names.split():
            if not hasattr(holder, name):
                yield f"{owner}.{name}" if owner else name


@contextlib.contextmanager
def _folder_with_settings() -> Iterator[None]:
    """Stand in a folder where habitat_sim finds our default for PBR materials."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="langrearrange_habitat_") as folder:
        os.mkdir(os.path.join(folder, "data"))
        with open(os.path.join(folder, "data", "default.pbr_config.json"), "w") as file:
            json.dump(_PBR_CONFIG, file)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(here)


def gpu_is_there() -> bool:
    """Return whether an NVIDIA device is visible."""
    return bool(glob.glob("/dev/nvidia[0-9]*"))


class Engine:
    """One scene of habitat_sim.

    Args:
        gpu_device: index of the GPU; -1: software OpenGL.

    Attributes:
        sim: the `habitat_sim.Simulator`; None after `close`.

    Raises:
        EngineError: habitat_sim is missing or unfit, or there is no such GPU.
    """

    def __init__(self, gpu_device: int) -> None:
        self._habitat = find_habitat()
        import magnum

        self._matrix = magnum.Matrix4
        # Our files' colours hold their light. Among lights, Habitat shows flat colours at 40 %.
        self._unlit = self._habitat.gfx.NO_LIGHT_KEY
        if gpu_device >= 0 and not gpu_is_there():
            # habitat_sim would end the process, without an exception.
            raise EngineError(
                f"no NVIDIA GPU is visible for habitat_gpu={gpu_device}; give -1 for software"
            )
        self.gpu_device = gpu_device
        self._templates: dict[str, str] = {}
        self._rigid: list[Any] = []
        self._articulated: list[Any] = []
        self._joints: list[dict[str, int]] = []
        self.sim: Any = self._start()

    def _start(self) -> Any:
        settings = self._habitat.SimulatorConfiguration()
        settings.scene_id = "NONE"
        settings.enable_physics = True
        settings.gpu_device_id = self.gpu_device
        agent = self._habitat.agent.AgentConfiguration()
        # One sensor of each kind has to be there from the start, or none can be added later.
        agent.sensor_specifications = [self._sensor_spec(kind, 16, 16, 90.0) for kind in KINDS]
        with _folder_with_settings():
            try:
                return self._habitat.Simulator(self._habitat.Configuration(settings, [agent]))
            except Exception as error:
                then = "; habitat_gpu=-1 draws without the GPU" if self.gpu_device >= 0 else ""
                raise EngineError(f"habitat_sim does not start: {error}{then}") from error

    def load(self, rigid: Sequence[Any], articulated: Sequence[Any]) -> None:
        """Replace everything in the scene.

        Args:
            rigid: {"asset": path of an .object_config.json or .glb, "ids": semantic ids, one for
                all of it or one per mesh, "lit": whether lights fall on it, "pose": (4, 4) nested;
                no lights and no pose by default}.
            articulated: {"asset": path of an .ao_config.json or .urdf, "pose": (4, 4) nested,
                "ids": link name -> semantic id, with "" for all others, "lit": likewise}.

        Raises:
            EngineError: an asset that habitat_sim does not take.
        """
        manager = self.sim.get_rigid_object_manager()
        bodies = self.sim.get_articulated_object_manager()
        for thing in self._rigid:
            manager.remove_object_by_id(thing.object_id)
        for body in self._articulated:
            bodies.remove_object_by_id(body.object_id)
        self._rigid, self._articulated, self._joints = [], [], []
        for item in rigid:
            self._rigid.append(self._add_rigid(manager, item))
        for item in articulated:
            self._add_articulated(bodies, item)

    def draw(self, view: dict[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
        """Move things, then return pictures by kind, in buffers that the next ones overwrite.

        Args:
            view: "rigid": pairs (index of a rigid thing, (4, 4) pose); "bases": pairs (index of an
                articulated one, (4, 4) pose); "joints": pairs (index of an articulated one, link
                name -> joint position); "kinds", "height" and "width" of the pictures, "hfov_deg"
                and "camera", the (4, 4) pose of the camera, which looks along its -z.

        Returns:
            `rgb` (height, width, 3) uint8, `depth` (height, width) float32 in metres, 0 where
            nothing is, and `segmentation` (height, width) uint32, semantic ids, 0 likewise.
        """
        for index, pose in view["rigid"]:
            self._rigid[index].transformation = self._matrix4(pose)
        for index, pose in view["bases"]:
            self._articulated[index].transformation = self._matrix4(pose)
        for index, values in view["joints"]:
            body, offsets = self._articulated[index], self._joints[index]
            positions = np.array(body.joint_positions, np.float32)
            for link, value in values.items():
                if link in offsets:
                    positions[offsets[link]] = value
            body.joint_positions = positions
        self.sim.agents[0].scene_node.transformation = self._matrix4(view["camera"])
        size = view["height"], view["width"], view["hfov_deg"]
        return {kind: self._picture(kind, *size) for kind in view["kinds"]}

    def _picture(self, kind: str, *size: Any) -> np.ndarray[Any, Any]:
        spec = self._sensor_spec(kind, *size)
        if spec.uuid not in self.sim._sensors:
            self.sim.add_sensor(spec)
        sensor = self.sim._sensors[spec.uuid]
        sensor.draw_observation()
        picture: np.ndarray[Any, Any] = sensor.get_observation()
        return picture[:, :, :3] if kind == "rgb" else picture

    def _matrix4(self, pose: Any) -> Any:
        return self._matrix(np.array(pose, np.float32))

    def close(self) -> None:
        """End the simulator; harmless when called twice."""
        simulator, self.sim = self.sim, None
        if simulator is not None:
            simulator.close()

    def _sensor_spec(self, kind: str, height: int, width: int, hfov_deg: float) -> Any:
        types = self._habitat.SensorType
        spec = self._habitat.CameraSensorSpec()
        spec.uuid = f"{kind}_{height}x{width}_{hfov_deg!r}"
        spec.sensor_type = {
            "rgb": types.COLOR, "depth": types.DEPTH, "segmentation": types.SEMANTIC,
        }[kind]  # fmt: skip
        spec.resolution = [height, width]
        spec.position = np.zeros(3, np.float32)
        spec.orientation = np.zeros(3, np.float32)
        spec.hfov = hfov_deg
        spec.near, spec.far = NEAR_M, FAR_M
        if kind == "rgb" and hasattr(spec, "clear_color"):
            spec.clear_color = np.array(BACKGROUND, np.float32)
        return spec

    def _template(self, manager: Any, path: str) -> str:
        """Return the handle of an asset's template; habitat_sim reads its JSON once."""
        if path not in self._templates:
            ids = manager.load_configs(path)
            if len(ids) != 1 or ids[0] < 0:
                raise EngineError(f"habitat_sim does not take the file {path}")
            self._templates[path] = manager.get_template_handle_by_id(ids[0])
        return self._templates[path]

    def _lights(self, item: Any) -> str:
        """Return the key of the lights that an asset is shown among."""
        return str(self._habitat.gfx.DEFAULT_LIGHTING_KEY if item.get("lit") else self._unlit)

    def _add_rigid(self, manager: Any, item: Any) -> Any:
        asset, ids = item["asset"], item["ids"]
        templates = self.sim.get_object_template_manager()
        if asset.endswith(".glb"):
            handle = self._bare_template(templates, asset)
        else:
            handle = self._template(templates, asset)
        thing = manager.add_object_by_template_handle(handle, light_setup_key=self._lights(item))
        if thing is None or not thing.is_alive:
            raise EngineError(f"habitat_sim does not load the object {asset}")
        thing.motion_type = self._habitat.physics.MotionType.KINEMATIC
        if "pose" in item:
            thing.transformation = self._matrix4(item["pose"])
        # A file's nodes come in its own order, behind one for the whole of it.
        nodes = list(thing.visual_scene_nodes)
        if len(ids) > 1 and len(nodes) < len(ids):
            raise EngineError(f"{asset} has {len(nodes)} nodes, not {len(ids)}")
        for node in nodes:
            node.semantic_id = ids[0]
        if len(ids) > 1:
            for node, number in zip(nodes[-len(ids) :], ids):  # noqa: B905
                node.semantic_id = number
        return thing

    def _bare_template(self, templates: Any, path: str) -> str:
        """Return the handle of a template for a mesh without one of its own: a stage, a link."""
        if path not in self._templates:
            config = {
                "render_asset": os.path.abspath(path), "up": [0, 1, 0], "front": [0, 0, -1],
                "COM": [0, 0, 0], "is_collidable": False, "mass": 1.0, "units_to_meters": 1.0,
                "shader_type": "flat",
            }  # fmt: skip
            name = os.path.splitext(os.path.basename(path))[0]
            with tempfile.TemporaryDirectory(prefix="langrearrange_habitat_") as folder:
                file = os.path.join(folder, name + ".object_config.json")
                with open(file, "w") as stream:
                    json.dump(config, stream)
                self._templates[path] = self._template(templates, file)
        return self._templates[path]

    def _add_articulated(self, manager: Any, item: Any) -> None:
        asset, ids = item["asset"], item["ids"]
        if asset.endswith(".urdf"):
            body = manager.add_articulated_object_from_urdf(asset, fixed_base=True)
        else:
            templates = self.sim.metadata_mediator.ao_template_manager
            body = manager.add_articulated_object_by_template_handle(
                self._template(templates, asset), light_setup_key=self._lights(item)
            )
        if body is None or not body.is_alive:
            raise EngineError(f"habitat_sim does not load the articulated object {asset}")
        body.motion_type = self._habitat.physics.MotionType.KINEMATIC
        body.transformation = self._matrix4(item["pose"])
        offsets = {}
        for link in [-1, *body.get_link_ids()]:
            name = body.get_link_name(link)
            for node in body.get_link_visual_nodes(link):
                node.semantic_id = ids.get(name, ids.get("", 0))
            if link >= 0 and body.get_link_num_joint_pos(link):
                offsets[name] = body.get_link_joint_pos_offset(link)
        self._articulated.append(body)
        self._joints.append(offsets)
