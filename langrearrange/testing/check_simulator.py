"""`check_simulator`: does a simulator show the world it is told to show? Not how fast or fair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from langrearrange.dataset.episode import Episode
from langrearrange.houses import Pose2D, get_house
from langrearrange.sim import SEGMENT_PART, SEGMENT_ROBOT, Frame, Simulator
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


def check_simulator(
    make: Callable[[], Simulator],
    *,
    reference: Callable[[], Simulator] | None = None,
    episodes: Sequence[Episode] | None = None,
) -> None:
    """Check a simulator against the protocol and, pixel by pixel, against another one.

    Along each episode's plan: every pixel of every buffer is written; the same state gives the
    same bytes however it was reached and whatever else is drawn; segmentation and depth agree with
    each other and with the state (nothing in a closed container is seen); camera and pictures
    agree with the reference's.

    Args:
        make: makes a new simulator.
        reference: makes one that is known to be right; None: the embedded one.
        episodes: whose plans to follow; None: six small hand-made ones.

    Raises:
        CheckError: the contract is broken; the message says in which episode, after which skill.
    """
    if reference is None:
        from langrearrange.sim.embedded import EmbeddedSimulator

        reference = EmbeddedSimulator
    simulator, other = make(), reference()
    if not isinstance(simulator, Simulator):
        raise CheckError(
            f"{type(simulator).__name__} lacks a method of langrearrange.sim.Simulator: load, "
            "show, head_camera, render, close"
        )
    for episode in episodes or toy_episodes():
        for shown in (simulator, other):
            _load(shown, episode)
        for place, state in _moments(episode):
            simulator.show(state)
            other.show(state)
            frame = _drawn(simulator, place)
            _check_against_state(frame, state, len(episode.objects), place)
            _check_against_reference(simulator, frame, other, place)
            _check_path_independence(make, episode, state, frame, place)
    for shown in (simulator, other):
        shown.close()
        shown.close()


def _load(simulator: Simulator, episode: Episode) -> None:
    start = Pose2D(episode.start.x, episode.start.y, episode.start.yaw)
    simulator.load(get_house(episode.house), episode.objects, start)


def _moments(episode: Episode) -> Iterator[tuple[str, WorldState]]:
    layout, state = episode.layout(), episode.initial_state()
    yield f"{episode.id} at the start", state
    for skill in episode.plan:
        state, _ = apply(layout, state, skill_index(skill))
        yield f"{episode.id} after {skill}", state


def _frame(fill: int) -> Frame:
    return Frame(
        np.full((SIZE, SIZE, 3), fill, np.uint8),
        np.full((SIZE, SIZE), fill, np.float32),
        np.full((SIZE, SIZE), fill, np.int32),
    )


def _drawn(simulator: Simulator, place: str) -> Frame:
    """Draw all buffers and each alone, over different old contents; return the picture."""
    camera = simulator.head_camera()
    first, second = _frame(7), _frame(99)
    simulator.render(camera, first)
    simulator.render(camera, second)
    alone = _frame(55)
    for name in ("rgb", "depth", "segmentation"):
        simulator.render(camera, Frame(**{name: getattr(alone, name)}))
        want = getattr(first, name)
        require(
            np.array_equal(want, getattr(second, name)),
            f"{place}: two pictures of one state differ in {name}, or not every pixel is written",
        )
        require(
            np.array_equal(want, getattr(alone, name)),
            f"{place}: {name} drawn alone differs from {name} drawn with the others",
        )
    return first


def _check_against_state(frame: Frame, state: WorldState, num_objects: int, place: str) -> None:
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
        known = -1 <= value < num_objects or SEGMENT_PART <= value <= SEGMENT_ROBOT
        require(known, f"{place}: segmentation value {value} means nothing")
        if 0 <= value < num_objects:
            receptacle = state.receptacles[value]
            hidden = receptacle < len(RECEPTACLES) and closed >> receptacle & 1
            require(not hidden, f"{place}: object {value} is seen inside a closed container")


def _check_against_reference(
    simulator: Simulator, frame: Frame, other: Simulator, place: str
) -> None:
    ours, theirs = simulator.head_camera(), other.head_camera()
    require(
        np.allclose(ours.view, theirs.view, atol=1e-4)
        and abs(ours.hfov_deg - theirs.hfov_deg) < 1e-3,
        f"{place}: the head camera differs from the reference's:\n{ours}\n{theirs}",
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
        f"{place}: {share:.0%} of the pixels show another thing than the reference; at most "
        f"{MAX_DIFFERENT_PIXELS:.0%} may",
    )
    seen = same & (frame.segmentation >= 0)
    error = float(np.median(np.abs(frame.depth - expected.depth)[seen])) if seen.any() else 0.0
    require(
        error <= MAX_DEPTH_ERROR_M,
        f"{place}: depth is off by {error:.3f} m in the median; at most {MAX_DEPTH_ERROR_M} m",
    )


def _check_path_independence(
    make: Callable[[], Simulator], episode: Episode, state: WorldState, frame: Frame, place: str
) -> None:
    fresh = make()
    _load(fresh, episode)
    fresh.show(state)
    again = _frame(3)
    fresh.render(fresh.head_camera(), again)
    for name in ("rgb", "depth", "segmentation"):
        require(
            np.array_equal(getattr(frame, name), getattr(again, name)),
            f"{place}: {name} depends on what was shown before; a fresh simulator draws otherwise",
        )
    fresh.close()
