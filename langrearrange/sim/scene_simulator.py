"""What simulators that draw a `Scene` share: loading, showing, camera and joints. No drawing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.episode import ObjectPlacement
from langrearrange.errors import RenderError
from langrearrange.houses import House, Pose2D
from langrearrange.sim.camera import CameraPreset, check_preset, head_camera
from langrearrange.sim.protocol import Camera, Simulator
from langrearrange.sim.scene import Scene
from langrearrange.world import WorldState


class SceneSimulator(Simulator):
    """A simulator that keeps a `Scene`; subclasses define `render`.

    Args:
        camera: head camera, `default` or `habitat` (90 degrees, fixed tilt).

    Raises:
        UsageError: an unknown camera.
    """

    def __init__(self, camera: str = "default") -> None:
        self._preset: CameraPreset = check_preset(camera)
        self._scene: Scene | None = None

    @property
    def scene(self) -> Scene:
        """The loaded household; RenderError before `load`."""
        if self._scene is None:
            raise RenderError(
                "the simulator holds no household; call load(...) and show(...) first"
            )
        return self._scene

    @property
    def state(self) -> WorldState:
        """The state shown last; RenderError before the first `show`."""
        state = self.scene.state
        if state is None:
            raise RenderError("no state was shown yet; call show(state) after load(...)")
        return state

    @property
    def joints(self) -> NDArray[np.float32]:
        """(7,) float32: the arm's joint angles in the state shown last, rad (read only)."""
        _ = self.state  # refuses before the first `show`
        return self.scene.arm.joints

    def load(self, house: House, objects: Sequence[ObjectPlacement], start: Pose2D) -> None:
        """Build the household of an episode; see `Simulator.load`."""
        self._scene = Scene(house, objects, start)

    def show(self, state: WorldState) -> None:
        """Put everything where the state says it is; costs little where little moved."""
        self.scene.show(state)

    def head_camera(self) -> Camera:
        """Return the robot's head camera in the state shown last."""
        scene = self.scene
        return head_camera(scene.house, self.state.place, scene.start, self._preset)

    def close(self) -> None:
        """Forget the household; harmless when called twice."""
        self._scene = None
