"""An endless stream of labelled pictures of flats in random states. No network, no training.

Each picture is a random stance and a random state of a household of some split: a pure function of
(split, seed, number of the picture).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from langrearrange.dataset.episode import MAX_VARIANT, Episode, ObjectPlacement
from langrearrange.errors import UsageError
from langrearrange.generator import open_split
from langrearrange.houses import House, models_of
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.sim import Frame, load_episode
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.world import Layout, WorldState, vocabulary

from .labels import CELL_PX, Labels, label, stack

SHOTS: Final = 12
"""Pictures of a household before the next one is built."""


class Pictures(NamedTuple):
    """n pictures with their labels; `rgb` is (n, size, size, 3) uint8."""

    rgb: NDArray[np.uint8]
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Probabilities with which states are drawn, in percent.

    Attributes:
        crowded: more objects are put on the receptacle in front, at free slots.
        at_receptacle: the robot is at a receptacle, else at any of the 17 places.
        opened: the container in front is open.
        holding: an object is in the hand.
        swapped: half of a household's objects are replaced by categories of `emphasis`.
        emphasis: categories to show more often; one named twice comes twice as often.
    """

    crowded: int = 60
    at_receptacle: int = 85
    opened: int = 75
    holding: int = 35
    swapped: int = 0
    emphasis: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := [name for name in self.emphasis if name not in vocabulary.CATEGORY_INDEX]:
            raise UsageError(
                f"emphasis on {unknown}; accepted: {', '.join(vocabulary.CATEGORY_INDEX)}"
            )


TRAINING: Final = Mixture()
EMPHASISED: Final = Mixture(crowded=80, swapped=60)
AS_FOUND: Final = Mixture(crowded=0, at_receptacle=100, opened=100, holding=0)
"""The household as the episode begins, seen from every receptacle, containers opened."""


@dataclass(slots=True)
class _Household:
    episode: Episode
    house: House
    layout: Layout
    initial: WorldState


class SceneStream:
    """Labelled pictures of a split's households.

    Args:
        split: whose episodes; of training splits fresh variants are drawn.
        seed: of all draws.
        batch_size: pictures at a time.
        image_size: in pixels, a multiple of 16.
        mixture: how states are drawn.

    Raises:
        UsageError: invalid sizes.
    """

    def __init__(
        self,
        split: str,
        seed: int = 0,
        *,
        batch_size: int = 32,
        image_size: int = 256,
        mixture: Mixture = TRAINING,
    ) -> None:
        if batch_size < 1 or image_size < CELL_PX or image_size % CELL_PX:
            raise UsageError(
                f"batch_size={batch_size}, image_size={image_size}; accepted: at least 1, and a "
                f"multiple of {CELL_PX}"
            )
        self._source = open_split(split)
        self._fresh = split in vocabulary.TRAINING_SPLITS
        self._seed = seed
        self._mixture = mixture
        self._size = image_size
        self._simulators = [EmbeddedSimulator() for _ in range(batch_size)]
        self._households: list[_Household | None] = [None] * batch_size
        self._num_batches = 0

    def skip(self, num_batches: int) -> None:
        """Skip so many batches, so that a resumed run has no picture twice."""
        self._num_batches += num_batches
        self._households = [None] * len(self._simulators)

    def batch(self) -> Pictures:
        """Return the next pictures, in fresh arrays."""
        count, size = len(self._simulators), self._size
        rgb = np.empty((count, size, size, 3), np.uint8)
        segmentation = np.empty((count, size, size), np.int32)
        scenes = [self._next(row) for row in range(count)]
        frames = [Frame(rgb=rgb[i], segmentation=segmentation[i]) for i in range(count)]
        EmbeddedSimulator.render_batch(self._simulators, frames)
        self._num_batches += 1
        pairs = zip(scenes, segmentation, strict=True)
        return Pictures(rgb, stack([label(h.house, h.layout, s, found) for (h, s), found in pairs]))

    def _next(self, row: int) -> tuple[_Household, WorldState]:
        household = self._households[row]
        # Rows change households at different batches, which spreads the work.
        if household is None or (self._num_batches + row) % SHOTS == 0:
            household = self._households[row] = self._new_household(row)
        rng = KeyedRng(HOUSE_VERSION, "vision", "state", self._seed, row, self._num_batches)
        state = draw_state(household.house, household.layout, household.initial, self._mixture, rng)
        self._simulators[row].show(state)
        return household, state

    def _new_household(self, row: int) -> _Household:
        number = (self._num_batches + row) // SHOTS
        rng = KeyedRng(HOUSE_VERSION, "vision", "home", self._seed, row, number)
        variant = 1 + rng.below(MAX_VARIANT) if self._fresh else 0
        episode = self._source.get(rng.below(len(self._source)), variant)
        if self._mixture.emphasis and rng.chance(self._mixture.swapped, 100):
            things = swapped(episode.objects, self._mixture.emphasis, rng)
            episode = replace(episode, objects=things)
        house = load_episode(self._simulators[row], episode)
        return _Household(episode, house, episode.layout(), episode.initial_state())


def swapped(
    objects: Sequence[ObjectPlacement], emphasis: Sequence[str], rng: KeyedRng
) -> tuple[ObjectPlacement, ...]:
    """Return the objects with about half of them replaced in place.

    Args:
        objects: of a household.
        emphasis: categories to draw the replacements from, with repetition.
        rng: what to draw from.
    """
    things = list(objects)
    for index, thing in enumerate(things):
        if rng.chance(1, 2):
            category = rng.choice(emphasis)
            model = rng.choice(models_of(category)).id
            things[index] = replace(thing, category=category, model=model, yaw=rng.below(6283))
    return tuple(things)


def draw_state(
    house: House, layout: Layout, initial: WorldState, mixture: Mixture, rng: KeyedRng
) -> WorldState:
    """Return a random state of a household that can be reached in an episode.

    Args:
        house: gives the slots.
        layout: of the household.
        initial: its state at the start.
        mixture: how to draw.
        rng: what to draw from.
    """
    receptacle = rng.below(vocabulary.NUM_RECEPTACLES)
    place = len(vocabulary.HANDLES) + receptacle
    if not rng.chance(mixture.at_receptacle, 100):
        place = rng.below(vocabulary.START + 1)
    open_mask = rng.below(1 << vocabulary.NUM_OPENABLES)
    openable = vocabulary.OPENABLE_OF_RECEPTACLE[receptacle]
    if openable >= 0:
        is_open = rng.chance(mixture.opened, 100)
        open_mask = open_mask & ~(1 << openable) | is_open << openable
    receptacles, slots = list(initial.receptacles), list(initial.slots)
    if rng.chance(mixture.crowded, 100):
        num_slots = house.num_slots[vocabulary.RECEPTACLES[receptacle]]
        taken = {s for r, s in zip(receptacles, slots, strict=True) if r == receptacle}
        free = rng.shuffled([slot for slot in range(num_slots) if slot not in taken])
        others = rng.shuffled([i for i, r in enumerate(receptacles) if r != receptacle])
        for thing, slot in list(zip(others, free, strict=False))[: 1 + rng.below(6)]:
            receptacles[thing], slots[thing] = receptacle, slot
    held = -1
    if rng.chance(mixture.holding, 100):
        held = rng.below(layout.num_objects)
        receptacles[held], slots[held] = vocabulary.IN_HAND, 0
    return WorldState(place, held, tuple(receptacles), tuple(slots), open_mask)
