"""Actions by id and by English name, and the one parser of both.

Answers of agents are read by it; `step` of an env takes numbers only.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from langrearrange.errors import ActionError, did_you_mean
from langrearrange.world.skills import NUM_SKILLS, SKILL_INDEX, SKILLS, Skill
from langrearrange.world.vocabulary import CATEGORIES, HANDLES, english

ACTION_IDS: Final = (*(skill.id for skill in SKILLS), "stop")
"""Id of every action: the 70 skills, then `stop`, which only the hard variant has."""
ACTION_NAMES: Final = (*(skill.name for skill in SKILLS), "stop")
"""The same in English."""

_VERBS: Final = {
    "nav": ("go to", "navigate to", "walk to", "move to"),
    "pick": ("pick up", "pick", "take", "grab"),
    "place": ("put it on", "put on", "put it", "put", "place it on", "place on", "place"),
    "open": ("open",),
    "close": ("close",),
}
"""Kind of skill -> how its names may begin, as `_plain` leaves them."""
_FILLERS: Final = re.compile(r"\b(the|a|an|down|back|pair of)\b")
_PREPOSITION: Final = re.compile(r"\b(in|into|inside|onto|at|upon)\b")
_WORDS: Final = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=4096)
def parse_action(text: str) -> int:
    """Return the index of an action given as an id or in English; upper and lower case alike.

    `nav(sofa)`, `go to the sofa`, `Go to sofa.`; `place(sofa)`, `put it on the sofa`, `put the
    apple on the sofa` (an object that is named there is not checked: what is held is put down); a
    handle goes by the name of its container, too. `stop` is 70.

    Raises:
        ActionError: anything else; the message has the text as given and the closest action.
    """
    action = SKILL_INDEX.get(text)
    if action is None:
        words = _plain(text)
        action = _FORMS.get(words)
        if action is None:  # the object in between: "put the apple on the sofa"
            action = _FORMS.get(_OBJECT.sub(r"\1 it on", words))
    if action is None:
        close = did_you_mean(text.strip().lower(), (*ACTION_NAMES, *ACTION_IDS))
        hint = close or "; accepted: an id such as nav(sofa) or a name such as 'go to the sofa'"
        raise ActionError(f"{text[:200]!r} is not an action{hint}")
    return action


def _plain(text: str) -> str:
    """Return lower-case words without articles, every preposition of place as `on`."""
    words = " ".join(_WORDS.sub(" ", text.lower().replace("'s", "s")).split())
    words = _PREPOSITION.sub("on", _FILLERS.sub(" ", words))
    return " ".join(words.split())


def _targets(skill: Skill) -> list[str]:
    names = [english(skill.target), skill.target]
    if skill.target in HANDLES:
        names += [name.removesuffix("_handle").removesuffix(" handle") for name in names]
    return names


def _forms() -> dict[str, int]:
    forms = {"stop": NUM_SKILLS}
    for skill in SKILLS:
        for target in _targets(skill):
            for verb in (skill.kind, *_VERBS[skill.kind]):
                forms[_plain(f"{verb} {target}")] = skill.index  # later: a container's own stance
    return forms


_FORMS: Final = _forms()
_OBJECTS: Final = "|".join(_plain(name) for c in CATEGORIES for name in (english(c), c))
_OBJECT: Final = re.compile(rf"\A(put|place) (?:{_OBJECTS}) on\b")
