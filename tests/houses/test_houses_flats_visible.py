"""Objects can be seen: pixels in the segmentation at the default head camera, containers open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from langrearrange.dataset.episode import Episode
from langrearrange.generator import open_split
from langrearrange.houses import HOUSE_IDS, Pose2D, get_house
from langrearrange.sim import Frame
from langrearrange.sim.embedded.simulator import EmbeddedSimulator
from langrearrange.world.vocabulary import NAV_INDEX, OPENABLES, TEST_SPLITS

ALL_OPEN = (1 << len(OPENABLES)) - 1
ENOUGH_PX, LEAST_PX = 24, 8


def episodes(count: int) -> Iterator[Episode]:
    """Episodes spread over all flats: two thirds from train, the rest validation and new_scenes."""
    sources = [open_split(name) for name in ("train", "train", "validation", "new_scenes")]
    for index in range(count):
        source = sources[index % len(sources)]
        step = max(1, len(source) // (count // len(sources) + 1))
        # Another remainder each turn: neither an episode nor a flat comes more often than it must.
        turn, number = divmod(index, len(sources))
        yield source.get((turn * (step + 1) + number * step // 2) % len(source))


def visible_pixels(simulator: EmbeddedSimulator, episode: Episode) -> list[int]:
    """How many pixels of each object are seen from the stance of its receptacle."""
    segmentation = np.zeros((256, 256), np.int32)
    start = Pose2D(episode.start.x, episode.start.y, episode.start.yaw)
    simulator.load(get_house(episode.house), episode.objects, start)
    state = episode.initial_state()._replace(open_mask=ALL_OPEN)
    pixels = [0] * len(episode.objects)
    for receptacle in {thing.receptacle for thing in episode.objects}:
        simulator.show(state._replace(place=NAV_INDEX[receptacle]))
        simulator.render(simulator.head_camera(), Frame(segmentation=segmentation))
        seen = segmentation[(segmentation >= 0) & (segmentation < len(pixels))]
        counts = np.bincount(seen, minlength=len(pixels))
        for index, thing in enumerate(episode.objects):
            if thing.receptacle == receptacle:
                pixels[index] = int(counts[index])
    return pixels


def assert_visible(played: Iterable[Episode]) -> set[str]:
    """Hold the promise on some episodes; returns the flats they are in."""
    simulator = EmbeddedSimulator()
    flats, pixels = set(), []
    for episode in played:
        flats.add(episode.house)
        pixels += visible_pixels(simulator, episode)
    seen = np.array(pixels)
    assert (seen >= ENOUGH_PX).mean() >= 0.95
    assert seen.min() >= LEAST_PX
    return flats


def test_objects_of_a_few_episodes_are_seen_from_their_stances() -> None:
    assert len(assert_visible(episodes(40))) >= 10


@pytest.mark.slow
def test_objects_of_2000_episodes_over_all_flats_are_seen_from_their_stances() -> None:
    assert assert_visible(episodes(2000)) == set(HOUSE_IDS)


@pytest.mark.slow
@pytest.mark.parametrize("split", [*TEST_SPLITS, "train_eval", "validation"])
def test_objects_of_every_shipped_test_episode_are_seen(split: str) -> None:
    source = open_split(split)
    assert_visible(source.get(position) for position in range(len(source)))


def test_closed_containers_show_nothing_of_what_they_hold() -> None:
    simulator = EmbeddedSimulator()
    segmentation = np.zeros((128, 128), np.int32)
    for episode in episodes(8):
        start = Pose2D(episode.start.x, episode.start.y, episode.start.yaw)
        simulator.load(get_house(episode.house), episode.objects, start)
        state = episode.initial_state()._replace(open_mask=0)
        for receptacle in ("fridge", "left_drawer", "right_drawer"):
            hidden = [i for i, o in enumerate(episode.objects) if o.receptacle == receptacle]
            simulator.show(state._replace(place=NAV_INDEX[receptacle]))
            simulator.render(simulator.head_camera(), Frame(segmentation=segmentation))
            assert not np.isin(segmentation, hidden).any()
