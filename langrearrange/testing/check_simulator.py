"""`check_simulator`: does a simulator draw the states that it is given? Does not measure speed."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from langrearrange import sim
from langrearrange.dataset.episode import Episode
from langrearrange.houses import get_house
from langrearrange.sim.protocol import missing_members
from langrearrange.testing.episodes import toy_episodes
from langrearrange.testing.report import CheckError, require
from langrearrange.world import CLOSED_RECEPTACLES, WorldState, apply, skill_index
from langrearrange.world.vocabulary import RECEPTACLES

SIZE = 96
"""Height and width of the pictures that are compared."""
MAX_DIFFERENT_PIXELS = 0.05
"""Share of pixels whose segmentation may differ from the reference: edges fall differently."""
MAX_DEPTH_ERROR_M = 0.01
"""Median difference in depth where both see the same thing."""
BUFFERS = ("rgb", "depth", "segmentation")


def check_simulator(
    make: Callable[[], sim.Simulator],
    *,
    reference: Callable[[], sim.Simulator] | None = None,
    episodes: Sequence[Episode] | None = None,
) -> None:
    """Check that a simulator follows the protocol and draws the states that it is given.

    Along each episode's plan: every pixel of every buffer is written; the same state gives the
    same camera, joints and bytes, however it was reached, whatever else is drawn, alone or in a
    batch; segmentation and depth agree with each other and with the state (nothing in a closed
    container is seen); the pictures change as the state does. One with the embedded simulator's
    head camera must also see what that one sees, pixel by pixel but for edges.

    Args:
        make: makes a new simulator.
        reference: makes one to compare with, whatever the camera; None: the embedded one, if the
            head camera is that of a preset (`sim.CAMERA_PRESETS`).
        episodes: whose plans to follow; None: six small hand-made ones.

    Raises:
        CheckError: the contract is broken; the message reports the episode and the skill.
    """
    simulator = make()
    missing = missing_members(simulator)
    if missing:
        raise CheckError(
            f"{type(simulator).__name__} lacks {', '.join(missing)} of langrearrange.sim.Simulator"
        )
    for episode in episodes or toy_episodes():
        moments = list(_moments(episode))
        sim.load_episode(simulator, episode)
        other = _reference(simulator, episode, reference)
        pictures = set()
        for place, state in moments:
            simulator.show(state)
            frame = _drawn(simulator, place)
            assert frame.rgb is not None
            pictures.add(frame.rgb.tobytes())
            _check_body(simulator, place)
            _check_against_state(frame, state, len(episode.objects), place)
            if other is not None:
                other.show(state)
                _check_against_reference(simulator, frame, other, place)
            _check_path_independence(make, episode, state, simulator, frame, place)
        require(
            len(pictures) > 1 or len(moments) < 2,
            f"{episode.id}: the picture is the same in all {len(moments)} states of its plan",
        )
        _check_batch(make, episode, [state for _, state in (moments[0], moments[-1])])
        if other is not None:
            other.close()
    simulator.close()
    simulator.close()


def _reference(
    simulator: sim.Simulator, episode: Episode, make: Callable[[], sim.Simulator] | None
) -> sim.Simulator | None:
    """Return what to compare with, its household loaded; None where nothing claims to be alike."""
    if make is None:
        from langrearrange.sim.embedded import EmbeddedSimulator

        state, house = episode.initial_state(), get_house(episode.house)
        simulator.show(state)
        ours, start = simulator.head_camera(), sim.start_pose(episode)
        for preset in sim.CAMERA_PRESETS:
            if _same_camera(ours, sim.head_camera(house, state.place, start, preset)):
                make = partial(EmbeddedSimulator, preset)
    if make is None:
        return None
    other = make()
    sim.load_episode(other, episode)
    return other


def _moments(episode: Episode) -> Iterator[tuple[str, WorldState]]:
    layout, state = episode.layout(), episode.initial_state()
    yield f"{episode.id} at the start", state
    for skill in episode.plan:
        state, _ = apply(layout, state, skill_index(skill))
        yield f"{episode.id} after {skill}", state


def _frame(fill: int) -> sim.Frame:
    size = (SIZE, SIZE)
    depth, segmentation = np.full(size, fill, np.float32), np.full(size, fill, np.int32)
    return sim.Frame(np.full((*size, 3), fill, np.uint8), depth, segmentation)


def _drawn(simulator: sim.Simulator, place: str) -> sim.Frame:
    """Draw all buffers and each alone, over different old contents; return the picture."""
    camera = simulator.head_camera()
    first, second, alone = _frame(7), _frame(99), _frame(55)
    simulator.render(camera, first)
    simulator.render(camera, second)
    for name in BUFFERS:
        simulator.render(camera, sim.Frame(**{name: getattr(alone, name)}))
    _require_equal(
        first, second, f"{place}: two pictures of one state differ in {{}}, or not every pixel is "
        "written",
    )  # fmt: skip
    _require_equal(first, alone, f"{place}: {{}} drawn alone differs from {{}} drawn with others")
    return first


def _require_equal(first: sim.Frame, second: sim.Frame, message: str) -> None:
    for name in BUFFERS:
        same = np.array_equal(getattr(first, name), getattr(second, name))
        require(same, message.replace("{}", name))


def _check_body(simulator: sim.Simulator, place: str) -> None:
    joints, camera = simulator.joints, simulator.head_camera()
    require(
        isinstance(joints, np.ndarray)
        and joints.dtype == np.float32
        and joints.shape == (sim.NUM_JOINTS,)
        and bool((np.abs(joints) <= np.float32(np.pi)).all()),
        f"{place}: joints are {joints!r}; expected ({sim.NUM_JOINTS},) float32 in [-pi, pi]",
    )
    view = np.asarray(camera.view)
    require(
        view.shape == (3, 4) and bool(np.isfinite(view).all()) and 0 < camera.hfov_deg < 180,
        f"{place}: the head camera is {camera}; expected a finite (3, 4) view and a field of view "
        "in (0, 180) degrees",
    )


def _check_against_state(frame: sim.Frame, state: WorldState, num_objects: int, place: str) -> None:
    depth, segments = frame.depth, frame.segmentation
    assert depth is not None
    assert segments is not None
    require(
        bool(np.array_equal(depth == 0, segments == -1)),
        f"{place}: depth has to be 0 exactly where segmentation is -1 (nothing there)",
    )
    require(
        bool(np.isfinite(depth).all() and (depth >= 0).all()),
        f"{place}: depth is negative or not finite somewhere",
    )
    closed = CLOSED_RECEPTACLES[state.open_mask]
    for value in np.unique(segments).tolist():
        known = -1 <= value < num_objects or sim.SEGMENT_PART <= value <= sim.SEGMENT_ROBOT
        require(known, f"{place}: invalid segmentation value {value}")
        if 0 <= value < num_objects:
            receptacle = state.receptacles[value]
            hidden = receptacle < len(RECEPTACLES) and closed >> receptacle & 1
            require(not hidden, f"{place}: object {value} is seen inside a closed container")


def _same_camera(ours: sim.Camera, theirs: sim.Camera) -> bool:
    return (
        np.shape(ours.view) == np.shape(theirs.view)
        and np.allclose(ours.view, theirs.view, atol=1e-4)
        and abs(ours.hfov_deg - theirs.hfov_deg) < 1e-3
    )


def _check_against_reference(
    simulator: sim.Simulator, frame: sim.Frame, other: sim.Simulator, place: str
) -> None:
    ours, theirs = simulator.head_camera(), other.head_camera()
    require(
        _same_camera(ours, theirs),
        f"{place}: the head camera differs from the reference's:\n{ours}\n{theirs}",
    )
    require(
        np.allclose(simulator.joints, other.joints, atol=1e-4),
        f"{place}: the joints are {simulator.joints}, the reference's {other.joints}",
    )
    expected = _frame(0)
    other.render(theirs, expected)
    assert frame.segmentation is not None
    assert frame.depth is not None
    assert expected.depth is not None
    same = frame.segmentation == expected.segmentation
    share = 1 - float(same.mean())
    require(
        share <= MAX_DIFFERENT_PIXELS,
        f"{place}: {share:.0%} of the pixels differ from the reference; at most "
        f"{MAX_DIFFERENT_PIXELS:.0%} may",
    )
    seen = same & (frame.segmentation >= 0)
    error = float(np.median(np.abs(frame.depth - expected.depth)[seen])) if seen.any() else 0.0
    require(
        error <= MAX_DEPTH_ERROR_M,
        f"{place}: depth is off by {error:.3f} m in the median; at most {MAX_DEPTH_ERROR_M} m",
    )


def _check_path_independence(
    make: Callable[[], sim.Simulator],
    episode: Episode,
    state: WorldState,
    simulator: sim.Simulator,
    frame: sim.Frame,
    place: str,
) -> None:
    fresh = make()
    sim.load_episode(fresh, episode)
    fresh.show(state)
    again, what = _frame(3), "depends on what was shown before; a fresh simulator"
    fresh.render(fresh.head_camera(), again)
    _require_equal(frame, again, f"{place}: {{}} {what} draws it differently")
    require(
        np.array_equal(fresh.joints, simulator.joints), f"{place}: joints {what} reports others"
    )
    fresh.close()


def _check_batch(
    make: Callable[[], sim.Simulator], episode: Episode, states: Sequence[WorldState]
) -> None:
    """Draw two simulators together and each alone."""
    simulators = [make() for _ in states]
    for simulator, state in zip(simulators, states, strict=True):
        sim.load_episode(simulator, episode)
        simulator.show(state)
    together = [_frame(11) for _ in states]
    simulators[0].render_batch(simulators, together, threads=2)
    for simulator, frame in zip(simulators, together, strict=True):
        alone = _frame(5)
        simulator.render(simulator.head_camera(), alone)
        _require_equal(
            alone, frame, f"{episode.id}: {{}} drawn by render_batch differs from {{}} by render"
        )
    for simulator in simulators:
        simulator.close()
