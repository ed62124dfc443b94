"""The rules of the world written down a second time, with names and dictionaries: slow and plain.

It judges `langrearrange.world` and the envs, so nothing here calls them: of the package it takes
the names of the categories and the numbers that states are made of. Not for anything but tests.
"""

from __future__ import annotations

from dataclasses import dataclass

from langrearrange.world import Layout, WorldState
from langrearrange.world.vocabulary import CATEGORIES

HANDLES = (
    "left_drawer_handle", "middle_drawer_handle", "right_drawer_handle", "bottom_drawer_handle",
    "fridge_handle",
)  # fmt: skip
RECEPTACLES = (
    "chair", "black_table", "brown_table", "tv_stand", "sink", "right_counter", "left_counter",
    "sofa", "fridge", "left_drawer", "right_drawer",
)  # fmt: skip
CONTAINERS = ("fridge", "left_drawer", "right_drawer")
OPENABLES = ("fridge", "left_drawer", "middle_drawer", "right_drawer", "bottom_drawer")
DRAWERS = OPENABLES[1:]
PLACES = (*HANDLES, *RECEPTACLES, "start")
SKILLS = (
    *(f"nav({name})" for name in (*HANDLES, *RECEPTACLES)),
    *(f"pick({name})" for name in CATEGORIES),
    *(f"place({name})" for name in RECEPTACLES),
    "open(fridge)", "close(fridge)",
    *(f"open({name})" for name in DRAWERS),
    *(f"close({name})" for name in DRAWERS),
)  # fmt: skip


@dataclass
class ReferenceWorld:
    """A home at one moment.

    Attributes:
        categories: object number -> its category.
        fixtures: what the home has: names of receptacles and handles.
        reach: place -> receptacles in reach from there.
        operable: place -> what can be opened and closed from there.
        release: whether a closed fridge still gives and closed containers still take.
        place: where the robot stands.
        held: number of the held object, None for a free hand.
        resting: object number -> (receptacle, slot).
        opened: what is open.
    """

    categories: list[str]
    fixtures: set[str]
    reach: dict[str, set[str]]
    operable: dict[str, set[str]]
    release: bool
    place: str
    held: int | None
    resting: dict[int, tuple[str, int]]
    opened: set[str]

    def act(self, skill: str) -> str:
        """Do a skill if it is possible; return the outcome."""
        kind, _, argument = skill.rstrip(")").partition("(")
        if kind == "nav":
            return self._nav(argument)
        if kind == "pick":
            return self._pick(argument)
        if kind == "place":
            return self._place(argument)
        assert kind in ("open", "close")
        return self._turn(argument, kind == "open")

    def closed(self, receptacle: str) -> bool:
        return receptacle in CONTAINERS and receptacle not in self.opened

    def _nav(self, target: str) -> str:
        if target not in self.fixtures:
            return "absent"
        self.place = target
        return "ok"

    def _pick(self, category: str) -> str:
        if self.held is not None:
            return "hand_full"
        here = self.reach[self.place]
        shut = {r for r in here if self.closed(r) and not (self.release and r == "fridge")}
        for number in sorted(self.resting):
            if self.categories[number] == category and self.resting[number][0] in here - shut:
                del self.resting[number]
                self.held = number
                return "ok"
        return "closed" if shut else "not_near"

    def _place(self, receptacle: str) -> str:
        if receptacle not in self.fixtures:
            return "absent"
        if self.held is None:
            return "hand_empty"
        if receptacle not in self.reach[self.place]:
            return "not_near"
        if self.closed(receptacle) and not self.release:
            return "closed"
        taken = [slot for where, slot in self.resting.values() if where == receptacle]
        free = min(slot for slot in range(len(taken) + 1) if slot not in taken)
        self.resting[self.held] = (receptacle, free)
        self.held = None
        return "ok"

    def _turn(self, openable: str, opening: bool) -> str:
        if f"{openable}_handle" not in self.fixtures:
            return "absent"
        if openable not in self.operable[self.place]:
            return "not_near"
        if (openable in self.opened) == opening:
            return "already_open" if opening else "already_closed"
        self.opened ^= {openable}
        return "ok"

    def state(self) -> WorldState:
        """The moment as the package writes it."""
        spots = [self.resting.get(number) for number in range(len(self.categories))]
        return WorldState(
            place=PLACES.index(self.place),
            held=-1 if self.held is None else self.held,
            receptacles=tuple(11 if s is None else RECEPTACLES.index(s[0]) for s in spots),
            slots=tuple(0 if s is None else s[1] for s in spots),
            open_mask=sum(1 << i for i, name in enumerate(OPENABLES) if name in self.opened),
        )


def reference_world(layout: Layout, state: WorldState) -> ReferenceWorld:
    """Return the same home at the same moment."""
    return ReferenceWorld(
        categories=[CATEGORIES[category] for category in layout.categories],
        fixtures=_names(layout.present, PLACES),
        reach={p: _names(m, RECEPTACLES) for p, m in zip(PLACES, layout.reach, strict=True)},
        operable={p: _names(m, OPENABLES) for p, m in zip(PLACES, layout.operable, strict=True)},
        release=layout.semantics == "release",
        place=PLACES[state.place],
        held=None if state.held < 0 else state.held,
        resting={
            number: (RECEPTACLES[where], slot)
            for number, (where, slot) in enumerate(zip(state.receptacles, state.slots, strict=True))
            if number != state.held
        },
        opened=_names(state.open_mask, OPENABLES),
    )


def _names(mask: int, names: tuple[str, ...]) -> set[str]:
    return {name for i, name in enumerate(names) if mask >> i & 1}


def replay(layout: Layout, state: WorldState, skills: list[int]) -> WorldState:
    """Return the state after the skills."""
    world = reference_world(layout, state)
    for skill in skills:
        world.act(SKILLS[skill])
    return world.state()
