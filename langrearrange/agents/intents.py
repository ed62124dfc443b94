"""Guesses what a sentence asks for from its words and their order. Does not act."""

import re
from dataclasses import dataclass
from typing import Final

from langrearrange.agents.words import Mention, find_mentions
from langrearrange.world.vocabulary import OPENABLE_INDEX, RECEPTACLE_INDEX


@dataclass(frozen=True, slots=True)
class Find:
    """Go to a place where an object of the category is visible."""

    category: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """Bring an object of the category to the target.

    Attributes:
        category: what to bring.
        source: the receptacle where it is, according to the sentence; "" if not given.
        target: where to put it; "" for anywhere except the source.
        everything: whether to bring all objects of the category.
    """

    category: str
    source: str
    target: str
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Swap:
    """Find two objects and put each where the other was."""

    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Visit:
    """Go to a spot."""

    spot: str


@dataclass(frozen=True, slots=True)
class Toggle:
    """Open what is closed or close what is open, since no goal holds at the start."""

    openable: str


Intent = Find | Fetch | Swap | Visit | Toggle

_SWAP: Final = re.compile(
    r"(?i)\b(swap|swapped|swapping|exchange|switch|switched|trade|interchange|change places|"
    r"each other|one another|vice versa|the other way round|reverse|to be .*, and .* to be)\b"
)
_TURN: Final = re.compile(r"(?i)\b(open(ed|ing)?|closed?|closing|shut(ting)?|ajar)\b")
_AWAY: Final = re.compile(
    r"(?i)\b(off|remove|clear|rid|not(?! only)|no|don't|doesn't|shouldn't|isn't|never|free of|"
    r"devoid|empty of|(some|any)where (else|but)|elsewhere|where else|(an)?other (place|home)|"
    r"out of|away from|(it|them) away)\b"
)
_FROM: Final = re.compile(r"\b(from(?! whichever)|off|out of|remove|clear)\b[^,.;]*\Z", re.I)
_TO: Final = re.compile(r"\b(to|onto|into|towards?)\b[^,.;]*\Z", re.I)
_STANDS: Final = re.compile(
    r"(?i)\A(?!.*\bsure\b).*\b(there's|is|are|lies|lying|sits|sitting|stands|standing|currently|"
    r"was|i left|been left)\b[^,.;]*\Z"
)
_STANDS_AFTER: Final = re.compile(r"[ ,]*\b(there is|there's|there are|lies|sits|stands)\b", re.I)
_ALL: Final = re.compile(r"\b(all|every|each|both(?! an? )|any|two|three)\b[^,.;]*\Z", re.I)


def read_intents(sentence: str) -> tuple[Intent, ...]:
    """Return the guessed intents in the order in which to carry them out."""
    mentions = find_mentions(sentence)
    things = _distinct([m for m in mentions if m.kind == "category"])
    spots = [m for m in mentions if m.kind == "spot"]
    if not things:
        turn, names = bool(_TURN.search(sentence)), [spot.name for spot in _distinct(spots)]
        return tuple(Toggle(n) if turn and n in OPENABLE_INDEX else Visit(n) for n in names)
    places = [m for m in spots if m.name in RECEPTACLE_INDEX]
    if _SWAP.search(sentence) and len(things) == 2:
        return _swap(things, _distinct(places))
    return _bring(sentence, things, places)


def _distinct(mentions: list[Mention]) -> list[Mention]:
    return sorted({m.name: m for m in reversed(mentions)}.values(), key=lambda m: m.start)


def _swap(things: list[Mention], places: list[Mention]) -> tuple[Intent, ...]:
    first, second = (thing.name for thing in things)
    if len(places) != 2:
        return (Swap(first, second),)
    here, there = (place.name for place in places)
    return Fetch(first, here, there), Fetch(second, there, here)


def _bring(sentence: str, things: list[Mention], places: list[Mention]) -> tuple[Intent, ...]:
    if not places:
        finds: list[Intent] = [Find(thing.name) for thing in things]
        return (*finds, *(Fetch(thing.name, "", "") for thing in things))
    sources, targets = _roles(sentence, things, places)
    intents: list[Intent] = []
    for index, thing in enumerate(things):
        everything = thing.plural or bool(_ALL.search(_before(sentence, thing, places, things)))
        end = things[index + 1].start if index + 1 < len(things) else len(sentence)
        source, target = (_nearest(thing, index, end, len(things), p) for p in (sources, targets))
        intents.append(Fetch(thing.name, source, target, everything))
    return tuple(intents)


def _roles(
    sentence: str, things: list[Mention], places: list[Mention]
) -> tuple[list[Mention], list[Mention]]:
    """Split the mentioned places into sources and targets."""
    sources = [p for p in places if _is_source(sentence, p, things, places)]
    targets = [p for p in places if p not in sources]
    if len(places) == 1 and _AWAY.search(sentence) and not _TO.search(sentence[: places[0].start]):
        return places, []
    if not targets and len(places) > 1:
        return places[:-1], places[-1:]
    if len(targets) == 2 and len(things) == 1 and not sources:
        return targets[:1], targets[1:]
    return sources, targets


def _is_source(sentence: str, place: Mention, things: list[Mention], places: list[Mention]) -> bool:
    gap = _before(sentence, place, things, places)
    if _FROM.search(gap) or _TO.search(gap):
        return bool(_FROM.search(gap))
    if _STANDS_AFTER.match(sentence, place.end):
        return True
    clause = re.split(r"[,.;]", sentence[: place.start])[-1]
    return bool(_STANDS.search(clause))


def _before(sentence: str, at: Mention, *others: list[Mention]) -> str:
    """Return the words between a mention and whatever was mentioned before it."""
    ends = [m.end for group in others for m in group if m.end <= at.start]
    return sentence[max(ends, default=0) : at.start]


def _nearest(thing: Mention, index: int, end: int, count: int, places: list[Mention]) -> str:
    """Return the place that goes with a thing: the one behind it, else one for each, else any."""
    behind = [place for place in places if thing.end <= place.start < end]
    if behind:
        return behind[-1].name
    if len(places) == count:
        return places[index].name
    following = [place for place in places if place.start > thing.start]
    return (following or places)[0].name if places else ""
