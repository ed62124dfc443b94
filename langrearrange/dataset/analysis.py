"""Statistics of data sets (paper B.6): lengths, words, balance, plans. Not for drawing.

One pass over the episodes gives a `Summary`; `dataset.plots` draws several side by side.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final, TypeVar

from langrearrange.dataset.episode import Episode
from langrearrange.world.vocabulary import (
    CATEGORIES,
    CONTAINERS,
    OPENABLES,
    RECEPTACLES,
    english,
)

_WORD: Final = re.compile(r"[a-z']+|_")
_MORE_NAMES: Final = """\
rubriks cube,cleanser,lego,cans,knives,strawberries,pair of scissors,pairs of scissors,\
refrigerator,kitchen,counter,table,drawer,fruit,citrus fruit,tool,toy,dish,cutlery""".split(",")
_NAMES: Final = {
    form.lower()
    for name in (*CATEGORIES, *RECEPTACLES, *OPENABLES)
    for form in (english(name), name.replace("_", " "))
}.union(_MORE_NAMES) - {"can"}
_A_CAN: Final = [
    rf"(?<=\b{word} )can" for word in "a the another every each any no one both".split()
]
NAME: Final = re.compile(
    rf"\b(?:{'|'.join([*sorted(_NAMES, key=lambda n: (-len(n), n)), *_A_CAN])})(?:e?s)?\b"
)
"""A name of an object, group or place, in lower case, singular or plural."""
_AN: Final = re.compile(rf"\ban (?={NAME.pattern})")
T = TypeVar("T")


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, and `_` where a frame has a name."""
    return _WORD.findall(text)


def mask(text: str, word: str = "thing") -> str:
    """Return a lower-case sentence with another word for each name: `put a thing in the thing`."""
    return NAME.sub(word, _AN.sub("a ", text))


def _by_receptacle() -> Counter[str]:
    return Counter({name: 0 for name in RECEPTACLES})


@dataclass
class Summary:
    """A set of episodes in numbers. Counters map a value to how many episodes (or words) have it.

    Attributes:
        split: name of the set.
        texts: instruction in lower case -> episodes.
        plan_steps: optimal plan length -> episodes.
        num_subgoals: number of subgoals -> episodes.
        num_objects: objects in the flat -> episodes.
        templates: template id -> episodes.
        phrasings: (template id, index of the phrasing) -> episodes.
        clusters: held-out unit -> episodes.
        houses: flat id -> episodes.
        categories: category -> objects of it in the flats.
        picked: category -> times one is picked up by an optimal plan.
        starts: receptacle -> objects that stand there at t=0.
        targets: receptacle -> times it is placed on by an optimal plan.
    """

    split: str
    texts: Counter[str] = field(default_factory=Counter)
    plan_steps: Counter[int] = field(default_factory=Counter)
    num_subgoals: Counter[int] = field(default_factory=Counter)
    num_objects: Counter[int] = field(default_factory=Counter)
    templates: Counter[str] = field(default_factory=Counter)
    phrasings: Counter[tuple[str, int]] = field(default_factory=Counter)
    clusters: Counter[str] = field(default_factory=Counter)
    houses: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    picked: Counter[str] = field(default_factory=Counter)
    starts: Counter[str] = field(default_factory=_by_receptacle)
    targets: Counter[str] = field(default_factory=_by_receptacle)

    def add(self, episode: Episode) -> None:
        """Count another episode; call before any derived number is read."""
        self.texts[episode.instruction.lower()] += 1
        self.plan_steps[len(episode.plan)] += 1
        self.num_subgoals[len(episode.subgoals)] += 1
        self.num_objects[len(episode.objects)] += 1
        self.templates[episode.template] += 1
        self.phrasings[episode.template, episode.phrasing] += 1
        self.clusters[episode.cluster] += 1
        self.houses[episode.house] += 1
        self.categories.update(item.category for item in episode.objects)
        self.picked.update(s[5:-1] for s in episode.plan if s.startswith("pick("))
        self.starts.update(item.receptacle for item in episode.objects)
        self.targets.update(s[6:-1] for s in episode.plan if s.startswith("place("))

    @property
    def num_episodes(self) -> int:
        """How many episodes were counted."""
        return self.templates.total()

    @property
    def hidden(self) -> int:
        """How many objects start in a container."""
        return sum(self.starts[name] for name in CONTAINERS)

    @cached_property
    def instruction_words(self) -> Counter[int]:
        """Instruction length in words -> episodes."""
        return _sum((len(words_of(text)), count) for text, count in self.texts.items())

    @cached_property
    def frames(self) -> Counter[str]:
        """Instruction with its names masked, `put a _ in the _` -> episodes."""
        return _sum((mask(text, "_"), count) for text, count in self.texts.items())

    @cached_property
    def words(self) -> Counter[str]:
        """Word other than names -> occurrences."""
        found = _sum((w, n) for frame, n in self.frames.items() for w in words_of(frame))
        del found["_"]
        return found

    @cached_property
    def names(self) -> Counter[str]:
        """Name of an object or place, as written -> occurrences."""
        return _sum((name, n) for text, n in self.texts.items() for name in NAME.findall(text))

    @cached_property
    def bigrams(self) -> frozenset[tuple[str, str]]:
        """Pairs of neighbouring words, names masked."""
        split = map(words_of, self.frames)
        return frozenset(pair for words in split for pair in pairwise(words))

    def novelty(self, known: Summary) -> tuple[float, float]:
        """Return the shares of distinct words and bigrams that another set lacks."""
        return (
            len(self.words.keys() - known.words.keys()) / max(1, len(self.words)),
            len(self.bigrams - known.bigrams) / max(1, len(self.bigrams)),
        )


def _sum(counts: Iterable[tuple[T, int]]) -> Counter[T]:
    found: Counter[T] = Counter()
    for value, count in counts:
        found[value] += count
    return found


def summarise(split: str, episodes: Iterable[Episode]) -> Summary:
    """Return the numbers of a set of episodes, in one pass."""
    summary = Summary(split)
    for episode in episodes:
        summary.add(episode)
    return summary


def mean(counts: Counter[int]) -> float:
    """Return the mean of the values of a counter; 0.0 for an empty one."""
    total = counts.total()
    return sum(value * count for value, count in counts.items()) / total if total else 0.0


def text_overlap(summaries: Sequence[Summary]) -> list[list[int]]:
    """Return the numbers of instructions that pairs of sets share, a matrix; case is ignored."""
    return [[len(a.texts.keys() & b.texts.keys()) for b in summaries] for a in summaries]
