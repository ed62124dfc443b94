"""English for what a robot sees and does: nouns with articles, sentences about skills.

Not for instructions (`language`) and not for whole observations (`env.text_observation`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from langrearrange.world.skills import KIND_OF, NUM_SKILLS, SKILLS
from langrearrange.world.state import OUTCOMES, Outcome
from langrearrange.world.vocabulary import CATEGORIES, PREPOSITIONS, english

BEGINNING: Final = "The episode begins."
_NUMBERS: Final = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def plural_of(noun: str) -> str:
    """Return the regular English plural of a noun phrase: `knife` -> `knives`."""
    if noun.endswith("scissors"):
        return noun
    if noun.endswith("fe"):
        return noun[:-2] + "ves"
    if re.search(r"[^aeiou]y\Z", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search(r"(s|x|z|ch|sh)\Z", noun) else "s")


def counted(number: int, category: str) -> str:
    """Return so many objects of a category in English: `an apple`, `two pairs of scissors`."""
    noun = english(category)
    if noun == plural_of(noun):
        return f"a pair of {noun}" if number == 1 else f"{_number(number)} pairs of {noun}"
    if number == 1:
        return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
    return f"{_number(number)} {plural_of(noun)}"


def _number(number: int) -> str:
    return _NUMBERS[number - 2] if number < len(_NUMBERS) + 2 else str(number)


def listed(parts: Sequence[str], conjunction: str = "and") -> str:
    """Return an English list: `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {conjunction} {parts[-1]}"


def told(action: int, outcome: Outcome, held: int = -1, closed: Sequence[str] = ()) -> str:
    """Return one sentence about the last action: what it was and what became of it.

    Args:
        action: 0..69, 70 for `stop`; -1 at the start of an episode.
        outcome: what became of it.
        held: category index of what was in the hand before, -1 for nothing.
        closed: the openables that are seen to be closed now.
    """
    if outcome is Outcome.NONE:
        return BEGINNING
    if action == NUM_SKILLS:
        return "You stopped."
    skill = SKILLS[action]
    kind, noun = KIND_OF[skill.kind], f"the {english(skill.target)}"
    held_noun = english(CATEGORIES[held]) if held >= 0 else ""
    argument = noun
    if skill.kind == "pick":
        argument = counted(1, skill.target)
    elif skill.kind == "place":
        thing = f"the {held_noun}" if held_noun else "anything"
        argument = f"{thing} {PREPOSITIONS[skill.target]} {noun}"
    if not outcome.invalid:
        return f"You {kind.past} {argument}."
    reason = outcome.reason.format(
        held=counted(1, CATEGORIES[held]) if held_noun else "",
        target="one" if skill.kind == "pick" else noun,
        closed=listed([f"the {english(name)}" for name in closed])
        if skill.kind == "pick"
        else noun,
    )
    return f"You could not {kind.verb} {argument}: {reason}."


_REASONS: Final = {
    outcome: re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(outcome.reason)) + r"\.\Z")
    for outcome in OUTCOMES
    if outcome.invalid
}


@cache  # the sentences are a few thousand
def outcome_of(sentence: str) -> Outcome:
    """Return the outcome that a sentence of `told` is about."""
    if sentence == BEGINNING:
        return Outcome.NONE
    if not sentence.startswith("You could not "):
        return Outcome.OK
    return next(outcome for outcome, reason in _REASONS.items() if reason.search(sentence))
