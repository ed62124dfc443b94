"""Habitat behind the Simulator protocol: our flats, exported, posed from our states. No task logic.

Nothing is simulated: robot, things, doors and drawers are put where the state says they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.episode import ObjectPlacement
from langrearrange.dataset.official.names import PREFIX
from langrearrange.errors import RenderError
from langrearrange.habitat.frames import Rows, camera_pose, y_up
from langrearrange.habitat.simulator.home import EpisodeHome, semantic_id
from langrearrange.habitat.simulator.library import Library
from langrearrange.habitat.simulator.places import look_into, open_backend
from langrearrange.houses import House, Pose2D, rigid
from langrearrange.sim.protocol import SEGMENT_ROBOT, Camera, Frame
from langrearrange.sim.robot import JOINT_NAMES, LINKS
from langrearrange.sim.scene import Scene
from langrearrange.sim.scene_simulator import SceneSimulator
from langrearrange.world.vocabulary import OPENABLE_INDEX, START

_AWAY: Final[Rows] = y_up(rigid(0, 0, -500, 0)).tolist()
"""Where things are that a closed container hides: Habitat knows no invisible ones."""
_KINDS: Final = ("rgb", "depth", "segmentation")


class HabitatSimulator(SceneSimulator):
    """A simulator on habitat_sim.

    Args:
        camera: head camera, `default` or `habitat`.
        habitat_python: interpreter of a Habitat environment, for a worker process; None: this
            process if habitat_sim is here, else what LANGREARRANGE_HABITAT_PYTHON names.
        habitat_data: a folder with flats exported by `langrearrange export`, with Habitat's
            own data, or both. A Fetch below robots/ is shown instead of our arm; ReplicaCAD becomes
            that of this process, as if LANGREARRANGE_HABITAT_DATA named the folder. None: flats are
            exported into the cache when they are first played.
        habitat_gpu: index of the GPU; -1: software OpenGL; None: GPU 0 where Habitat can use it.

    Raises:
        UsageError: an unknown camera.
        HabitatError: no habitat_sim that works, no such folder, or nothing of use in it.
    """

    def __init__(
        self,
        camera: str = "default",
        habitat_python: str | Path | None = None,
        habitat_data: str | Path | None = None,
        habitat_gpu: int | None = None,
    ) -> None:
        super().__init__(camera)
        found = look_into(habitat_data)
        self._robot = found.robot
        self._library = Library(found.flats)
        self._open_backend = partial(open_backend, habitat_python, habitat_gpu)
        self._backend = self._open_backend()
        self._home: EpisodeHome
        self._sent = _Sent()
        self._frame: Frame

    @property
    def habitat_sim(self) -> Any:
        """The `habitat_sim.Simulator`; HabitatError if it is in a worker process."""
        return self._backend.sim

    def load(self, house: House, objects: Sequence[ObjectPlacement], start: Pose2D) -> None:
        """Build the household of an episode; see `Simulator.load`.

        Raises:
            HabitatError: files are missing, or habitat_sim refuses one.
        """
        self._scene = None
        library = None if house.id.startswith(PREFIX) else self._library
        home = EpisodeHome(house, objects, library)
        bodies = [*home.fixed.rigid]
        bodies += [_rigid(path, index) for index, path in enumerate(home.things)]
        articulated = [*home.fixed.articulated]
        if home.lit:
            bodies, articulated = ([{**i, "lit": True} for i in s] for s in (bodies, articulated))
        if self._robot is None:
            bodies += [_rigid(self._library.link(link), SEGMENT_ROBOT) for link in LINKS]
        else:
            ids = {"": semantic_id(SEGMENT_ROBOT)}
            articulated.append({"asset": str(self._robot), "pose": _AWAY, "ids": ids})
        if self._backend.closed:
            self._backend = self._open_backend()
        self._backend.load(bodies, articulated)
        self._home = home
        self._sent = _Sent()
        self._scene = Scene(house, objects, start)

    def render(self, camera: Camera, frame: Frame) -> None:
        """Draw into the frame's buffers.

        Raises:
            RenderError: buffers of a wrong shape or type, or nothing to draw yet.
            HabitatError: the worker ended.
        """
        self.begin(camera, frame)
        self.finish()

    def begin(self, camera: Camera, frame: Frame) -> None:
        """Begin to draw; `finish` has to follow. Workers of several simulators draw at once."""
        height, width = _size(frame)
        kinds = [kind for kind in _KINDS if getattr(frame, kind) is not None]
        self._frame = frame
        view = {
            "kinds": kinds, "height": height, "width": width, "camera": camera_pose(camera),
            "hfov_deg": float(camera.hfov_deg),
        }  # fmt: skip
        self._backend.begin(view | self._moves())

    def finish(self) -> None:
        """Wait for what was begun and copy it into the frame's buffers."""
        frame, pictures = self._frame, self._backend.pictures()
        if frame.rgb is not None:
            frame.rgb[...] = pictures["rgb"]
        if frame.depth is not None:
            frame.depth[...] = pictures["depth"]
        if frame.segmentation is not None:
            np.subtract(pictures["segmentation"].astype(np.int32), 1, out=frame.segmentation)

    @staticmethod
    def render_batch(
        simulators: Sequence[HabitatSimulator],
        frames: Sequence[Frame],
        cameras: Sequence[Camera] | None = None,
        threads: int = 1,
    ) -> None:
        """Draw one view of each simulator; their workers draw at once, whatever `threads` is."""
        cameras = cameras or [simulator.head_camera() for simulator in simulators]
        for simulator, camera, frame in zip(simulators, cameras, frames, strict=True):
            simulator.begin(camera, frame)
        for simulator in simulators:
            simulator.finish()

    def close(self) -> None:
        """End habitat_sim and its worker; harmless when called twice."""
        super().close()
        self._backend.close()

    def _moves(self) -> dict[str, list[Any]]:
        """Return what has moved since the last picture; see `Engine.draw`."""
        scene, state, sent, fixed = self.scene, self.state, self._sent, self._home.fixed
        joints: list[Any] = []
        bases: list[Any] = []
        if sent.open_mask != state.open_mask:
            for index, travel in enumerate(fixed.travels):
                positions = {
                    link: position * (state.open_mask >> OPENABLE_INDEX[openable] & 1)
                    for link, (openable, position) in travel.items()
                }
                joints.append((index, positions))
        if self._robot is not None:
            index = len(fixed.travels)
            if sent.place != state.place:
                base = scene.start if state.place == START else scene.house.stance(state.place)
                bases.append((index, y_up(base.matrix()).tolist()))
            angles = zip(JOINT_NAMES, scene.arm.joints.tolist(), strict=True)
            joints.append((index, {f"{name}_link": angle for name, angle in angles}))
        sent.open_mask, sent.place = state.open_mask, state.place
        return {"rigid": self._moved_things(), "joints": joints, "bases": bases}

    def _moved_things(self) -> list[tuple[int, Rows]]:
        """Return the things and the links of the arm that moved, appeared or vanished."""
        scene, sent = self.scene, self._sent
        first = len(scene.house.parts)
        last = len(scene.keys) - (len(LINKS) if self._robot is not None else 0)
        poses, drawn = scene.poses[first:last], scene.drawn[first:last]
        changed = (poses != sent.poses).any(axis=(1, 2)) | (drawn != sent.drawn)
        sent.poses, sent.drawn = poses.copy(), drawn.copy()
        count = len(self._home.fixed.rigid)
        return [
            (count + row, self._home.transform(row, poses[row]) if drawn[row] else _AWAY)
            for row in np.flatnonzero(changed).tolist()
        ]


class _Sent:
    """The last commands sent to Habitat."""

    def __init__(self) -> None:
        self.poses = np.full((1, 3, 4), np.nan, np.float32)  # differs from every pose
        self.drawn = np.zeros(1, np.bool_)
        self.open_mask = -1
        self.place = -1


def _rigid(path: Path, segment: int) -> dict[str, Any]:
    return {"asset": str(path), "ids": [semantic_id(segment)]}


def _size(frame: Frame) -> tuple[int, int]:
    """Return height and width of a frame; RenderError for buffers that do not go together."""
    wanted = {"rgb": (np.uint8, 3), "depth": (np.float32, 2), "segmentation": (np.int32, 2)}
    sizes = set()
    for name, (dtype, axes) in wanted.items():
        buffer: NDArray[Any] | None = getattr(frame, name)
        if buffer is None:
            continue
        if buffer.dtype != dtype or buffer.ndim != axes or buffer.shape[2:] not in ((), (3,)):
            raise RenderError(
                f"{name} is {buffer.dtype} {buffer.shape}; expected {np.dtype(dtype)} (height, "
                f"width{', 3' if name == 'rgb' else ''})"
            )
        sizes.add(buffer.shape[:2])
    if len(sizes) != 1:
        raise RenderError(f"buffers of sizes {sorted(sizes)}; give one or more, all of one size")
    height, width = sizes.pop()
    return height, width
