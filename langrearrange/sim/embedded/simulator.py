"""The default simulator: our own flats, drawn on the CPU by the C rasteriser; no GPU, no GL."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.episode import ObjectPlacement
from langrearrange.errors import RenderError, UsageError
from langrearrange.houses import House, Pose2D
from langrearrange.sim.embedded.library import mesh_library
from langrearrange.sim.protocol import Camera, Frame
from langrearrange.sim.scene import Scene
from langrearrange.sim.scene_simulator import SceneSimulator
from langrearrange.world import WorldState

Quality = Literal["default", "plain", "textured", "supersampled"]
QUALITIES: Final = get_args(Quality)


class Look(NamedTuple):
    """How a quality is drawn: samples per pixel and side, textures or vertex colours only."""

    samples: int
    textured: bool


LOOKS: Final[dict[str, Look]] = {
    "default": Look(1, True),
    "plain": Look(1, False),
    "textured": Look(1, True),
    "supersampled": Look(2, True),
}

NEAR_M: Final = 0.05
_LIGHT: Final = (0.36, -0.28, 0.89)
"""Towards the light, nearly unit length: from above, a little aside, so that walls differ."""
_AMBIENT, _DIFFUSE, _SKY = 0.62, 0.36, 0.06
_BACKGROUND: Final = (205.0, 216.0, 226.0)
_LOOK_NUMBERS: Final = np.array([*_LIGHT, _AMBIENT, _DIFFUSE, _SKY, *_BACKGROUND], np.float32)

View = tuple[Any, ...]


class EmbeddedSimulator(SceneSimulator):
    """The default simulator. Cheap to make; meshes are shared by the whole process.

    Args:
        camera: head camera, `default` or `habitat` (90 degrees, fixed tilt).
        quality: `default` is `textured`; `plain` leaves the textures out (a sixth cheaper);
            `supersampled` averages 2 x 2 colours per pixel (three times the cost; depth and
            segmentation are those of the upper left sample).

    Raises:
        UsageError: an unknown camera or quality.
        RenderError: the compiled renderer is missing or stale.
    """

    def __init__(self, camera: str = "default", quality: str = "default") -> None:
        super().__init__(camera)
        if quality not in LOOKS:
            raise UsageError(f"unknown quality '{quality}'; accepted: {', '.join(QUALITIES)}")
        self._look = LOOKS[quality]
        self._library = mesh_library()
        self._meshes: NDArray[np.int32]
        self._ids: NDArray[np.int32]

    def load(self, house: House, objects: Sequence[ObjectPlacement], start: Pose2D) -> None:
        """Build the household of an episode; see `Simulator.load`."""
        scene = Scene(house, objects, start)
        self._meshes = np.array([self._library.index(key) for key in scene.keys], np.int32)
        self._ids = np.stack([self._meshes, scene.segments, scene.resting], axis=1).astype(np.int32)
        self._scene = scene

    def show(self, state: WorldState) -> None:
        """Put everything where the state says it is; costs little where little moved."""
        super().show(state)
        scene = self.scene
        self._ids[:, 0] = np.where(scene.drawn, self._meshes, -1)
        self._ids[:, 2] = scene.resting

    def render(self, camera: Camera, frame: Frame) -> None:
        """Draw into the frame's buffers.

        Raises:
            RenderError: buffers of a wrong shape, type or layout, or nothing to draw yet.
        """
        draw([self._view(camera, frame)], self._look, threads=1)

    @staticmethod
    def render_batch(
        simulators: Sequence[EmbeddedSimulator],
        frames: Sequence[Frame],
        cameras: Sequence[Camera] | None = None,
        threads: int = 1,
    ) -> None:
        """Draw one view of each simulator in one call of the rasteriser; see `Simulator`.

        Args:
            simulators: all of one quality; each may occur once or often.
            frames: as many.
            cameras: as many; None: each one's head camera.
            threads: 1..256.

        Raises:
            RenderError: lengths differ, qualities differ, or buffers that cannot be used.
        """
        cameras = cameras or [simulator.head_camera() for simulator in simulators]
        if not len(simulators) == len(frames) == len(cameras):
            raise RenderError(
                f"render_batch: {len(simulators)} simulators, {len(frames)} frames and "
                f"{len(cameras)} cameras; give as many of each"
            )
        looks = {simulator._look for simulator in simulators}
        if len(looks) > 1:
            raise RenderError("render_batch: the simulators differ in quality; batch one quality")
        views = [s._view(c, f) for s, c, f in zip(simulators, cameras, frames, strict=True)]
        if views:
            draw(views, looks.pop(), threads)

    def _view(self, camera: Camera, frame: Frame) -> View:
        _ = self.state  # refuses before the first `show`
        poses = self.scene.poses
        return self._ids, poses, packed(camera), frame.rgb, frame.depth, frame.segmentation


@lru_cache(maxsize=4096)
def packed(camera: Camera) -> NDArray[np.float32]:
    """Return a camera as the rasteriser takes it: 12 of the view, 1 / tan(hfov / 2), near (m)."""
    focal = 1 / math.tan(math.radians(camera.hfov_deg) / 2)
    return np.array([*np.asarray(camera.view, np.float32).reshape(-1), focal, NEAR_M], np.float32)


def draw(views: list[View], look: Look, threads: int) -> None:
    """Draw views in one call of the rasteriser; RenderError repeats what it refuses."""
    try:
        mesh_library().raster.draw(views, _LOOK_NUMBERS, look.samples, look.textured, threads)
    except ValueError as error:
        raise RenderError(str(error)) from None
