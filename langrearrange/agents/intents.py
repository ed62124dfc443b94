"""What a sentence seems to ask, by plain words and their order. Not for carrying it out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from langrearrange.agents.words import Mention, find_mentions
from langrearrange.world.vocabulary import OPENABLE_INDEX, RECEPTACLE_INDEX


@dataclass(frozen=True, slots=True)
class Find:
    """Stand where one of the category is in sight."""

    category: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """Bring one of the category to the target.

    Attributes:
        category: what to bring.
        source: the receptacle it is said to be at, "" if unsaid.
        target: where to put it; "" = anywhere but at the source.
        everything: bring all of them.
    """

    category: str
    source: str
    target: str
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Swap:
    """Find two things and put each where the other was."""

    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Visit:
    """Go to a spot."""

    spot: str


@dataclass(frozen=True, slots=True)
class Toggle:
    """Open what is closed, close what is open: no goal is true at the start."""

    openable: str


Intent = Find | Fetch | Swap | Visit | Toggle

_SWAP: Final = re.compile(r"\b(swap|exchange|switch|trade|interchange|swapped|switched)\b", re.I)
_TURN: Final = re.compile(
    r"\b(open|opened|close|closed|closing|opening|shut|shutting|ajar)\b", re.I
)
_AWAY: Final = re.compile(
    r"\b(off|remove|clear|rid|not|no|don't|doesn't|shouldn't|isn't|never|free of|devoid|empty of|"
    r"somewhere else|elsewhere|another place|other place|anywhere else|out of|away from)\b",
    re.I,
)
_FROM: Final = re.compile(r"\b(from|off|out of|leave|leaves|remove|clear)\b[^,.;]*\Z", re.I)
_STANDS: Final = re.compile(
    r"\b(is|are|there's|lies|lying|sits|sitting|stands|standing|left|currently|that|which|was)\b",
    re.I,
)
_TO: Final = re.compile(r"\b(to|onto|into|towards?)\b[^,.;]*\Z", re.I)
_ALL: Final = re.compile(r"\b(all|every|each|both|any|two|three)\b[^,.;]*\Z", re.I)


def read_intents(sentence: str) -> tuple[Intent, ...]:
    """Return what the sentence seems to ask, in the order it should be done."""
    mentions = find_mentions(sentence)
    things = _distinct([m for m in mentions if m.kind == "category"])
    spots = [m for m in mentions if m.kind == "spot"]
    if not things:
        return _about_places(sentence, spots)
    places = [m for m in spots if m.name in RECEPTACLE_INDEX]
    if _SWAP.search(sentence) and len(things) == 2:
        return _swap(things, _distinct(places))
    return _bring(sentence, things, places)


def _distinct(mentions: list[Mention]) -> list[Mention]:
    return list({m.name: m for m in reversed(mentions)}.values())[::-1]


def _about_places(sentence: str, spots: list[Mention]) -> tuple[Intent, ...]:
    intents: list[Intent] = []
    for spot in _distinct(spots):
        if spot.name in OPENABLE_INDEX and _TURN.search(sentence):
            intents.append(Toggle(spot.name))
        else:
            intents.append(Visit(spot.name))
    return tuple(intents)


def _swap(things: list[Mention], places: list[Mention]) -> tuple[Intent, ...]:
    first, second = (thing.name for thing in things)
    if len(places) != 2:
        return (Swap(first, second),)
    here, there = (place.name for place in places)
    return Fetch(first, here, there), Fetch(second, there, here)


def _bring(sentence: str, things: list[Mention], places: list[Mention]) -> tuple[Intent, ...]:
    sources = {place.start for place in places if _is_source(sentence, place, things)}
    targets = [place for place in places if place.start not in sources]
    if len(places) == 1 and _AWAY.search(sentence) and not _TO.search(sentence[: places[0].start]):
        sources, targets = {places[0].start}, []
    elif not targets and len(places) > 1:
        targets = [places[-1]]
        sources.discard(places[-1].start)
    elif len(targets) == 2 and len(things) == 1 and not sources:
        sources = {targets.pop(0).start}
    if not places:
        return _without_places(things)
    intents: list[Intent] = []
    for index, thing in enumerate(things):
        everything = thing.plural or bool(_ALL.search(_before(sentence, thing, places, things)))
        source = _source_of(thing, index, things, [p for p in places if p.start in sources])
        target = _target_of(index, things, targets)
        intents.append(Fetch(thing.name, source, target, everything))
    return tuple(intents)


def _without_places(things: list[Mention]) -> tuple[Intent, ...]:
    finds: list[Intent] = [Find(thing.name) for thing in things]
    return (*finds, *(Fetch(thing.name, "", "") for thing in things))


def _before(sentence: str, at: Mention, *others: list[Mention]) -> str:
    """Return the words between a mention and whatever was mentioned before it."""
    ends = [m.end for group in others for m in group if m.end <= at.start]
    return sentence[max(ends, default=0) : at.start]


def _is_source(sentence: str, place: Mention, things: list[Mention]) -> bool:
    gap = _before(sentence, place, things)
    if _TO.search(gap) and not _FROM.search(gap):
        return False
    if _FROM.search(gap):
        return True
    said_to_stand = bool(_STANDS.search(gap)) and any(t.end <= place.start for t in things)
    after = sentence[place.end :]
    there_is = re.match(r",? (there|you|lies|sits|stands|is|are|has|holds)\b", after, re.I)
    return said_to_stand or bool(
        there_is and re.search(r"\b(there|lies|sits|stands)\b", after[:16])
    )


def _source_of(thing: Mention, index: int, things: list[Mention], sources: list[Mention]) -> str:
    if not sources:
        return ""
    if len(sources) == len(things):
        return sources[index].name
    return min(sources, key=lambda place: abs(place.start - thing.start)).name


def _target_of(index: int, things: list[Mention], targets: list[Mention]) -> str:
    if not targets:
        return ""
    if len(targets) >= len(things):
        return targets[index if len(things) > 1 else -1].name
    following = [place for place in targets if place.start > things[index].start]
    return (following or targets)[0].name
