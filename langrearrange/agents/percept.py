"""The state observation as named values; the only module of agents that knows its layout."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from langrearrange.world import OUTCOMES, Outcome, vocabulary


@dataclass(frozen=True, slots=True)
class Percept:
    """The contents of a state observation.

    Attributes:
        spot: where the robot stands, a handle counting as its container; "" at the start pose.
        held: category of the held object, "" for none.
        visible: category -> number of visible objects, without zeros.
        openness: openable -> whether it is open, if that is known from here.
        outcome: outcome of the last skill.
    """

    spot: str
    held: str
    visible: Mapping[str, int]
    openness: Mapping[str, bool]
    outcome: Outcome


def read_state(observation: Mapping[str, Any]) -> Percept:
    """Read one env's `state` observation (see `LangRearrangeEnv`)."""
    place = int(np.argmax(observation["place"]))
    held = int(np.argmax(observation["held"]))
    counts = np.asarray(observation["visible"])
    openness = np.asarray(observation["openables"])
    return Percept(
        spot="" if place == vocabulary.START else vocabulary.spot_of(vocabulary.NAV_TARGETS[place]),
        held=vocabulary.CATEGORIES[held] if held < len(vocabulary.CATEGORIES) else "",
        visible={vocabulary.CATEGORIES[i]: int(counts[i]) for i in np.flatnonzero(counts)},
        openness={o: bool(v > 0) for o, v in zip(vocabulary.OPENABLES, openness, strict=True) if v},
        outcome=OUTCOMES[int(np.argmax(observation["outcome"]))],
    )
