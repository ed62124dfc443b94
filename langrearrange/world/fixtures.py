"""The fixtures of a home, one record each. Not where they stand (`houses`) and not the objects.

A new fixture is a record here, a piece of furniture in `houses` and a word in the lexicon.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple


class Fixture(NamedTuple):
    """Something that stays in its place and that a robot drives to.

    Attributes:
        name: its id.
        opening: how it opens: behind doors, as a drawer, or not at all (""). What opens has a
            handle, a target of navigation of its own.
        holds: whether objects can stand on or in it: it is a receptacle.
        preposition: where an object is that was put there: `on` it or `in` it.
        english: its name without article; "": the id with spaces.
    """

    name: str
    opening: Literal["door", "drawer", ""] = ""
    holds: bool = True
    preposition: Literal["on", "in"] = "on"
    english: str = ""


FIXTURES: Final = (
    Fixture("chair"),
    Fixture("black_table"),
    Fixture("brown_table"),
    Fixture("tv_stand", english="TV stand"),
    Fixture("sink", preposition="in"),
    Fixture("right_counter"),
    Fixture("left_counter"),
    Fixture("sofa"),
    Fixture("fridge", "door", preposition="in"),
    Fixture("left_drawer", "drawer", preposition="in"),
    Fixture("middle_drawer", "drawer", holds=False),
    Fixture("right_drawer", "drawer", preposition="in"),
    Fixture("bottom_drawer", "drawer", holds=False),
)
"""In the order of the released action space; what opens alike stands together."""
