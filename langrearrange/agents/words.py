"""Finds mentions of categories and places in a sentence by word match with the vocabulary.

Shared by `explorer` and `blind_sweep`. Uses the English names of the skills only: no lexicon, no
grammar and no templates.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from langrearrange.world.vocabulary import CATEGORIES, NAV_INDEX, SPOTS, english, handle_of
from langrearrange.world.wording import plural_of

Kind = Literal["category", "spot"]


@dataclass(frozen=True, slots=True)
class Mention:
    """A category or place mentioned in a sentence.

    Attributes:
        kind: a category, or a spot (a receptacle, the middle or the bottom drawer).
        name: its id.
        plural: whether the word is a plural.
        start, end: where in the sentence, in characters.
    """

    kind: Kind
    name: str
    plural: bool
    start: int
    end: int


def find_mentions(sentence: str) -> tuple[Mention, ...]:
    """Return all mentions in order; longer names take precedence over shorter ones."""
    found = []
    for match in _PATTERN.finditer(sentence):
        kind, name, plural = _FORMS[match[1].lower().replace("-", " ")]
        if name == "can" and not plural and not _DETERMINER.search(sentence[: match.start()]):
            continue  # "Can you ...": the verb
        found.append(Mention(kind, name, plural, match.start(), match.end()))
    return tuple(found)


def go_to(spot: str) -> str:
    """Return the id of the nav skill to a spot; a drawer without a surface has a handle only."""
    return f"nav({spot if spot in NAV_INDEX else handle_of(spot)})"


def _forms() -> dict[str, tuple[Kind, str, bool]]:
    forms: dict[str, tuple[Kind, str, bool]] = {}
    kinds: tuple[tuple[Kind, tuple[str, ...]], ...] = (("category", CATEGORIES), ("spot", SPOTS))
    for kind, names in kinds:
        for name in names:
            for singular in dict.fromkeys((english(name).lower(), name.replace("_", " "))):
                forms.setdefault(plural_of(singular), (kind, name, True))
                forms[singular] = (kind, name, False)
    return forms


_FORMS: Final = _forms()
_LONGEST_FIRST: Final = map(re.escape, sorted(_FORMS, key=len, reverse=True))
_NAMES: Final = "|".join(_LONGEST_FIRST).replace(r"\ ", "[ -]")
_PATTERN: Final = re.compile(rf"(?i)\b({_NAMES})\b(?: handle)?")
_DETERMINER: Final = re.compile(
    r"\b(a|an|the|any|all|each|every|one|this|that|some|another|no|of|and|or)\s+\Z", re.IGNORECASE
)
