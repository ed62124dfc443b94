"""Inconsistencies of a released episode: between sentence, goal and household.

Not for whether its goal can be reached (`generator.official`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from langrearrange.dataset import Episode
from langrearrange.dataset.official import OfficialEpisode, words_of
from langrearrange.dataset.official.names import RECEPTACLE_OF, category_of, is_category
from langrearrange.generator.prove import Finding
from langrearrange.world.goals import Atom, Goal, Not, Quantified, parse_goal, walk
from langrearrange.world.vocabulary import CATEGORIES, RECEPTACLES

SENSOR_TOKENS: Final = 30
"""Tokens that the release's instruction sensor takes; it asserts on more."""
NOTES: Final = ("for_all_of_one", "partly_done", "two_readings", "over_30_tokens")
"""Findings that are not inconsistencies but make an episode easier, harder or unreadable."""


def sentence_findings(record: OfficialEpisode, episode: Episode) -> Iterator[Finding]:
    """Yield inconsistencies between sentence, goal and household, and notes."""
    goal = parse_goal(episode.goal)
    for kind, message in (
        *_empty_sources(record, episode, goal),
        *_false_statements(episode),
        *_quantities(episode, goal),
        *_length(episode),
    ):
        yield Finding(kind, episode.id, message)


def _counts(episode: Episode) -> Counter[tuple[str, str]]:
    return Counter((thing.category, thing.receptacle) for thing in episode.objects)


def _empty_sources(
    record: OfficialEpisode, episode: Episode, goal: Goal
) -> Iterator[tuple[str, str]]:
    """Check that objects are on a receptacle that the sentence names and the goal does not."""
    text = episode.instruction.lower()
    places = {RECEPTACLE_OF[e] for e in record.entities.values() if e in RECEPTACLE_OF}
    wanted = {category_of(e) for e in record.entities.values() if is_category(e)}
    in_goal = {
        argument for part in walk(goal) if isinstance(part, Atom) for argument in part.arguments
    }
    here = _counts(episode)
    for place in sorted(places - in_goal):
        if wanted and words_of(place) in text and not any(here[c, place] for c in wanted):
            yield (
                "source_empty",
                f"the sentence names the {words_of(place)}, where no {' or '.join(sorted(wanted))} "
                "is",
            )


def _false_statements(episode: Episode) -> Iterator[tuple[str, str]]:
    here = _counts(episode)
    text = episode.instruction.lower()
    for thing, place in _THERE_IS_ON.findall(text) + [
        (thing, place) for place, thing in _ON_THERE_IS.findall(text)
    ]:
        if not here[_NAMED[thing], _NAMED[place]]:
            yield "statement_false", f"the sentence states: {thing} on the {place}; there is none"


def _quantities(episode: Episode, goal: Goal) -> Iterator[tuple[str, str]]:
    here = _counts(episode)
    for part in walk(goal):
        if not isinstance(part, Quantified):
            continue
        negated = any(isinstance(inner, Not) for inner in walk(part.body))
        places = {
            atom.arguments[1]
            for atom in walk(part.body)
            if isinstance(atom, Atom) and atom.predicate == "on_top"
        }
        for variable in part.variables:
            of_kind = [o for o in episode.objects if o.category in variable.members]
            there = sum(here[c, place] for c in variable.members for place in places)
            name = words_of(variable.members[0])
            if part.quantifier == "forall" and len(of_kind) == 1:
                yield "for_all_of_one", f"the sentence mentions all {name}; there is one"
            if part.quantifier == "forall" and there:
                yield "partly_done", f"{there} of {len(of_kind)} {name} are there at the start"
            if part.quantifier == "exists" and negated and len(of_kind) > 1:
                yield (
                    "two_readings",
                    f"{there} of {len(of_kind)} {name} are there; the goal asks to take off one, "
                    "the sentence may mean each",
                )


def _length(episode: Episode) -> Iterator[tuple[str, str]]:
    least = 1 + len(re.findall(r"\w+|[^\w\s]", episode.instruction))
    if least > SENSOR_TOKENS:
        yield (
            "over_30_tokens",
            f"at least {least} tokens (words, marks and a beginning); the release's sensor takes "
            f"{SENSOR_TOKENS}",
        )


_NAMED: Final = {words_of(name): name for name in (*CATEGORIES, *RECEPTACLES)}
_THING: Final = "|".join(words_of(name) for name in CATEGORIES)
_PLACE: Final = "|".join(words_of(name) for name in RECEPTACLES)
_THERE_IS_ON: Final = re.compile(rf"there(?:'s| is) an? ({_THING}) (?:on|in|at) the ({_PLACE})\b")
_ON_THERE_IS: Final = re.compile(rf"(?:on|in|at) the ({_PLACE}) there(?:'s| is) an? ({_THING})\b")
