"""Which wording a released sentence has: the files do not say, so it is recovered from the text.

Not for what sentences mean.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from langrearrange.dataset.official.names import OFFICIAL_CATEGORY, RECEPTACLE_OF, is_category
from langrearrange.dataset.official.records import OfficialEpisode
from langrearrange.world.vocabulary import CATEGORIES, RECEPTACLES, english

_THING, _PLACE = "<thing>", "<place>"
_MAX_PATTERNS: Final = 64
"""Wordings of a template that sentences are held against; released ones have up to 12."""
_OFFICIAL_OF: Final = {ours: theirs for theirs, ours in OFFICIAL_CATEGORY.items()}


def words_of(name: str) -> str:
    """Return how released sentences name a category or receptacle, ours or theirs, lower case."""
    if is_category(name) or name in _OFFICIAL_OF:
        return _OFFICIAL_OF.get(name, name)
    return english(RECEPTACLE_OF.get(name, name)).lower()


def wording(episode: OfficialEpisode) -> str:
    """Return the sentence with the names drawn for its slots taken out."""
    text = episode.instruction.lower()
    names = {words_of(entity): entity for entity in episode.entities.values()}
    for name in sorted(names, key=len, reverse=True):
        slot = _THING if is_category(names[name]) else _PLACE
        text = re.sub(rf"\b{re.escape(name)}", slot, text)
    return _article(text)


def phrasings(episodes: Sequence[OfficialEpisode]) -> list[int]:
    """Return the index of each episode's wording within its template, the most frequent first.

    A name may occur in a sentence twice, once drawn and once fixed ("mind the cup in the sink"
    where a cup is wanted). So a sentence counts as the most frequent wording that it fits.
    """
    found: dict[str, Counter[str]] = {}
    for episode in episodes:
        found.setdefault(episode.template, Counter())[wording(episode)] += 1
    ranked = {t: sorted(counts.items(), key=_most_frequent) for t, counts in found.items()}
    patterns = {
        template: [(text, _pattern(text)) for text, _ in texts[:_MAX_PATTERNS]]
        for template, texts in ranked.items()
    }
    fitting = [_fitting(episode, patterns[episode.template]) for episode in episodes]
    kept: dict[str, set[str]] = {}
    for episode, text in zip(episodes, fitting, strict=True):
        kept.setdefault(episode.template, set()).add(text)
    numbers = {
        template: {text: n for n, text in enumerate(t for t, _ in texts if t in kept[template])}
        for template, texts in ranked.items()
    }
    return [numbers[e.template][text] for e, text in zip(episodes, fitting, strict=True)]


def _fitting(episode: OfficialEpisode, ranked: Sequence[tuple[str, re.Pattern[str]]]) -> str:
    text = _article(episode.instruction.lower())
    for wanted, pattern in ranked:
        if pattern.fullmatch(text):
            return wanted
    return wording(episode)


def _most_frequent(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _article(text: str) -> str:
    return re.sub(r"\ban (?=\w|<)", "a ", text)


def _pattern(text: str) -> re.Pattern[str]:
    """Match a wording with any names in its slots."""
    things = "|".join(re.escape(words_of(name)) for name in CATEGORIES)
    places = "|".join(re.escape(words_of(name)) for name in RECEPTACLES)
    escaped = re.escape(text)
    escaped = escaped.replace(re.escape(_THING), f"(?:{things})")
    return re.compile(escaped.replace(re.escape(_PLACE), f"(?:{places})"))
